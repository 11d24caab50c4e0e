"""The site itself: its commands, and Django's admin in our dress."""

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class SiteConfig(AppConfig):
    name = "webapp"


class DuologueAdminConfig(AdminConfig):
    default_site = "unfold.sites.UnfoldAdminSite"
