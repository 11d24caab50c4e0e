"""The research team's own accounts, in the same look as everything else."""

from typing import TYPE_CHECKING

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, User

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


admin.site.unregister(User)
admin.site.unregister(Group)


@admin.register(User)
class UserAdmin(TeamUserAdmin):
    """A researcher."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm


@admin.register(Group)
class GroupAdmin(TeamGroupAdmin):
    """Researchers with the same permissions."""
