"""Who of the team belongs to which study, and as what."""

from django.conf import settings
from django.db import models

from annotation.models.study import Study
from annotation.roles import Role


class Membership(models.Model):
    """A person of the team in one study. Who is no member sees nothing of it; superusers see every study."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(
        max_length=10,
        choices=[(role, role.value) for role in Role],
        default=Role.VIEWER,
        help_text="A viewer sees everything and changes nothing, a researcher runs the study, an owner also decides "
        "who is a member.",
    )

    class Meta:
        ordering = ["study", "role", "user"]
        constraints = [models.UniqueConstraint(fields=["study", "user"], name="member_once_per_study")]

    def __str__(self) -> str:
        return f"{self.user} ({self.role})"
