"""Researchers sign in with a password and, where they have set one up, a second step."""

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from axes.handlers.database import AxesDatabaseHandler
from axes.helpers import get_client_username
from django import forms
from django.conf import settings
from django.contrib.auth.models import User
from django.core.validators import MaxLengthValidator
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare, salted_hmac
from django_otp import devices_for_user, user_has_device
from django_otp.forms import OTPAuthenticationFormMixin
from django_otp.models import Device

if TYPE_CHECKING:
    from django.contrib.admin.forms import AdminAuthenticationForm as AuthenticationForm
else:
    from unfold.forms import AuthenticationForm


class SignInForm(OTPAuthenticationFormMixin, AuthenticationForm):  # type: ignore[misc] # the mixin has no hints
    """Name, password, and the code of the second step for those who use one."""

    otp_token = forms.CharField(
        label="Code of the second step",
        required=False,
        max_length=8,
        help_text="Leave it empty if you have not set one up.",
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
    )
    otp_error_messages = OTPAuthenticationFormMixin.otp_error_messages | {
        "token_required": "Your account asks for a second step: enter the code that your authenticator app shows.",
        "invalid_token": "That code is wrong or too old. Enter the one that your authenticator app shows now.",
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # No account has a longer one, and a failed try with it could not be written down.
        self.fields["username"].validators.append(MaxLengthValidator(150))
        self.fields["otp_token"].widget.attrs["class"] = self.fields["username"].widget.attrs.get("class", "")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        user = self.get_user()
        if isinstance(user, User) and user_has_device(user):
            self.clean_otp(user)
        return dict(cleaned or {})

    def _chosen_device(self, user: User) -> Device:
        return next(iter(devices_for_user(user, for_verify=True)))

    def _update_form(self, user: User) -> None:
        """Nothing to choose: everybody has one device at most."""


NOBODYS_ADDRESS = "0.0.0.0"  # noqa: S104 - stands in a column, nothing listens there
"""Everybody's. It is no NULL, for of two tries at once those would make two rows, and axes can count in one alone."""

COOKIE = "duologue_known"
_SALT = "somebody signed in here before"
_KNOWN_FOR = timedelta(days=180)


def no_address(request: HttpRequest) -> str:
    """What is kept of the address of a failed sign-in: nothing."""
    return NOBODYS_ADDRESS


class Tries(AxesDatabaseHandler):  # type: ignore[misc]  # axes has no type hints
    """Failed sign-ins by name alone, apart for browsers in which that name signed in before.

    So a stranger who knows a name cannot keep its owner out. In place of the browser's name stands which of the two.
    """

    def filter_user_attempts(self, request: Any, credentials: Any = None) -> Any:
        """Return the tries that count together with this one."""
        _take_browser(request, credentials)
        return super().filter_user_attempts(request, credentials)

    def user_login_failed(self, sender: Any, credentials: Any, request: Any = None, **kwargs: Any) -> None:
        """Count a failed sign-in; what is kept of the browser is whether it knows the name."""
        if request is not None:
            _take_browser(request, credentials)
        super().user_login_failed(sender, credentials, request, **kwargs)

    def user_logged_in(self, sender: Any, request: Any, user: Any, **kwargs: Any) -> None:
        """Forget the failed tries, and let this browser know the name."""
        super().user_logged_in(sender, request, user, **kwargs)
        request.signed_in_name = user.get_username()


def _take_browser(request: Any, credentials: Any) -> None:
    name = get_client_username(request, credentials) or ""
    request.axes_user_agent = "known" if _knows(request, name) else ""
    request.axes_http_accept = ""


def _knows(request: HttpRequest, name: str) -> bool:
    said = request.get_signed_cookie(COOKIE, default="", salt=_SALT, max_age=_KNOWN_FOR)
    return constant_time_compare(said or "", _mark(name))


def _mark(name: str) -> str:
    return salted_hmac(_SALT, name, algorithm="sha256").hexdigest()


class KnownBrowser:
    """Marks a browser in which somebody has just signed in."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if name := getattr(request, "signed_in_name", ""):
            response.set_signed_cookie(
                COOKIE,
                _mark(name),
                salt=_SALT,
                max_age=_KNOWN_FOR,
                path="/admin/",
                secure=settings.HTTPS,
                httponly=True,
                samesite="Lax",
            )
        return response
