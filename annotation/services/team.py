"""The groups that new accounts are put into: what their members may do in general. Roles say in which studies."""

from django.apps import AppConfig
from django.contrib.auth.models import Group, Permission

# Rows that only the program writes are never changed by hand; changing a study is what the buttons ask for.
GROUPS = {"Researchers": ("add", "change", "delete", "view"), "Viewers": ("view",)}


def ensure_groups(sender: AppConfig, **_: object) -> None:
    """Make the groups that are missing. A group that is there stays as somebody made it."""
    for name, verbs in GROUPS.items():
        group, is_new = Group.objects.get_or_create(name=name)
        if is_new:
            permissions = Permission.objects.filter(content_type__app_label=sender.label)
            group.permissions.set(p for p in permissions if p.codename.split("_", 1)[0] in verbs)
