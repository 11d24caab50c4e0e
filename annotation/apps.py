"""The annotation application."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class AnnotationConfig(AppConfig):
    name = "annotation"

    def ready(self) -> None:
        """Make the team's groups once the tables and permissions are there."""
        from annotation.services.team import ensure_groups

        post_migrate.connect(ensure_groups, sender=self)
