"""Researchers sign in with a password and, where they have set one up, a second step."""

from typing import TYPE_CHECKING, Any

from axes.handlers.database import AxesDatabaseHandler
from django import forms
from django.contrib.auth.models import User
from django.http import HttpRequest
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


def no_address(request: HttpRequest) -> str | None:
    """What is kept of the address of a failed sign-in: nothing."""
    return None


class Tries(AxesDatabaseHandler):  # type: ignore[misc]  # axes has no type hints
    """Failed sign-ins by name alone."""

    def user_login_failed(self, sender: Any, credentials: Any, request: Any = None, **kwargs: Any) -> None:
        """Count a failed sign-in; what is kept of the browser is nothing."""
        if request is not None:
            request.axes_user_agent = ""
        super().user_login_failed(sender, credentials, request, **kwargs)
