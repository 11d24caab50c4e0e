"""Django's admin under our own site."""

from django.contrib.admin.apps import AdminConfig


class DuologueAdminConfig(AdminConfig):
    default_site = "unfold.sites.UnfoldAdminSite"
