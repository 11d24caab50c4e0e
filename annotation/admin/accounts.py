"""The research team's own accounts, in the same look as everything else."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, User
from django.http import HttpRequest
from django_otp.plugins.otp_totp.models import TOTPDevice

if TYPE_CHECKING:
    from django.contrib.auth import forms
    from django.contrib.auth.forms import AdminPasswordChangeForm

    UserChangeForm = forms.UserChangeForm[User]
    UserCreationForm = forms.UserCreationForm[User]
    TeamUserAdmin = DjangoUserAdmin[User]
    TeamGroupAdmin = DjangoGroupAdmin
else:
    from unfold.admin import ModelAdmin
    from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

    class TeamUserAdmin(DjangoUserAdmin, ModelAdmin):
        """Django's page of a user in unfold's look."""

        actions = None

    class TeamGroupAdmin(DjangoGroupAdmin, ModelAdmin):
        """Django's page of a group in unfold's look."""

        actions = None


ABOUT_ACCOUNTS = (
    "Staff may sign in here. “Researchers” make and run studies, “Viewers” look on; both see the studies of which "
    "they are members, and every study's page says who those are."
)

admin.site.unregister(User)
admin.site.unregister(Group)
# A second step is its owner's: nobody else reads the key.
admin.site.unregister(TOTPDevice)


@admin.register(User)
class UserAdmin(TeamUserAdmin):
    """A researcher: staff, in the group that says what they do, and a member of studies (on each study's page)."""

    add_fieldsets = (
        *DjangoUserAdmin.add_fieldsets,
        ("What they may do", {"fields": ("is_staff", "groups"), "description": ABOUT_ACCOUNTS}),
    )

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        """Whoever manages accounts gives nobody, themselves included, more than a group allows."""
        fields = tuple(super().get_readonly_fields(request, obj))
        return fields if request.user.is_superuser else (*fields, "is_superuser", "user_permissions")

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """The account of a superuser, and its password, is for superusers."""
        return super().has_change_permission(request, obj) and _is_within_reach(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_delete_permission(request, obj) and _is_within_reach(request, obj)


def _is_within_reach(request: HttpRequest, user: User | None) -> bool:
    return user is None or not user.is_superuser or bool(request.user.is_superuser)


@admin.register(Group)
class GroupAdmin(TeamGroupAdmin):
    """Researchers with the same permissions."""
