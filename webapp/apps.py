"""The site itself: its commands, and Django's admin in our dress."""

from importlib import import_module

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class SiteConfig(AppConfig):
    name = "webapp"

    def ready(self) -> None:
        """Make our Celery app the current one: services send through it without knowing the site."""
        import_module("webapp.celery")


class DuologueAdminConfig(AdminConfig):
    default_site = "unfold.sites.UnfoldAdminSite"
