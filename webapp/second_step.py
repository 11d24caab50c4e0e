"""The second step of signing in: set up with an authenticator app, and taken away again with a code from it.

Either takes the password, too: a browser that somebody left open must not lock its owner out.
"""

from http import HTTPMethod

import segno
from django import forms
from django.contrib import admin, messages
from django.contrib.auth import SESSION_KEY, authenticate
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.safestring import mark_safe
from django.views.decorators.cache import never_cache
from django_otp.plugins.otp_totp.models import TOTPDevice


class CodeForm(forms.Form):
    """The password, and the six digits that the app shows."""

    password = forms.CharField(
        label="Your password",
        strip=False,
        error_messages={"required": "Enter your password: nobody else may change how your account is opened."},
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    code = forms.RegexField(
        r"^\s*\d{6}\s*$",
        label="Code",
        error_messages={"invalid": "A code has six digits.", "required": "Enter the code that the app shows."},
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
    )


@never_cache
def second_step(request: HttpRequest) -> HttpResponse:
    """Show where the account stands (GET), or switch the second step on or off with a code (POST)."""
    assert isinstance(request.user, User)
    device = _device_of(request.user)
    form = CodeForm(request.POST or None)
    if request.method == HTTPMethod.POST and form.is_valid():
        # Counted like a sign-in: whoever found a browser open cannot guess here either.
        if not authenticate(request, username=request.user.get_username(), password=form.cleaned_data["password"]):
            form.add_error("password", "That is not your password.")
        elif _switch(device, form.cleaned_data["code"].strip()):
            request.session.cycle_key()
            _end_other_sessions(request)
            said = "off: your password is enough" if device.confirmed else "on: you need the app from now on"
            messages.success(request, f"The second step is {said}.")
            return redirect("second_step")
        else:
            form.add_error("code", "That code is wrong or too old. Enter the one that the app shows now.")
    context = admin.site.each_context(request) | {
        "title": "Second step",
        "form": form,
        "device": device,
        "secret": "" if device.confirmed else _secret(device),
        # Drawn here from numbers alone; nobody's words are in it.
        "picture": "" if device.confirmed else mark_safe(_picture(device)),  # noqa: S308
    }
    return render(request, "admin/second_step.html", context, status=422 if form.errors else 200)


def _device_of(user: User) -> TOTPDevice:
    """Return the account's only device; an unconfirmed one asks nothing of anybody."""
    device = TOTPDevice.objects.filter(user=user).first()
    return device or TOTPDevice.objects.create(user=user, name="authenticator app", confirmed=False)


@transaction.atomic
def _switch(device: TOTPDevice, code: str) -> bool:
    """Confirm the device, or forget a confirmed one; False where the code is wrong or tried too often."""
    locked = TOTPDevice.objects.select_for_update().get(pk=device.pk)
    if not locked.verify_is_allowed()[0] or not locked.verify_token(code):
        return False
    if device.confirmed:
        locked.delete()
    else:
        TOTPDevice.objects.filter(pk=locked.pk).update(confirmed=True)
    return True


def _end_other_sessions(request: HttpRequest) -> None:
    """Sign the account out everywhere else: somebody may be in who came without the second step."""
    running = Session.objects.filter(expire_date__gt=timezone.now()).exclude(pk=request.session.session_key)
    theirs = [each.pk for each in running.iterator() if each.get_decoded().get(SESSION_KEY) == str(request.user.pk)]
    Session.objects.filter(pk__in=theirs).delete()


def _secret(device: TOTPDevice) -> str:
    """Return the key as apps take it by hand: base 32, in groups of four."""
    key = str(device.config_url).split("secret=", 1)[1].split("&", 1)[0]
    return " ".join(key[i : i + 4] for i in range(0, len(key), 4))


def _picture(device: TOTPDevice) -> str:
    return segno.make(device.config_url, error="m").svg_inline(scale=5, border=2, light="white", title="QR code")
