"""How people come to a study, and what is known of them outside it. No export joins it to a judgement."""

import uuid

from django.conf import settings
from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q

from annotation.models.annotator import Annotator
from annotation.models.study import Study
from annotation.platforms import PLATFORMS, Deed
from annotation.states import Exit

_NAME = RegexValidator(r"^[A-Za-z0-9_.-]+$", "Use letters, digits, _ . and - only.")
_HOST = RegexValidator(r"^[A-Za-z0-9.-]+$", "Enter the host name alone, e.g. school.sona-systems.com.")
_CODE = RegexValidator(r"^[A-Za-z0-9_-]+$", "Use letters, digits, _ and - only.")


class Recruitment(models.Model):
    """A study on its platform. A study without one is open to everybody who has its link."""

    study = models.OneToOneField(Study, on_delete=models.CASCADE, related_name="recruitment")
    platform = models.CharField(
        max_length=20,
        default="open",
        choices=[(platform.key, platform.name) for platform in PLATFORMS.values()],
        help_text="Save once after choosing: the page then says what this platform needs.",
    )
    id_parameter = models.CharField(
        "parameter of the person's id",
        max_length=60,
        blank=True,
        validators=[_NAME],
        help_text="Only if your platform's link uses another name than usual.",
    )
    submission_parameter = models.CharField(
        "parameter of the submission's id",
        max_length=60,
        blank=True,
        validators=[_NAME],
        help_text="Only if your platform's link uses another name than usual.",
    )
    study_parameter = models.CharField(
        "parameter of the study's id",
        max_length=60,
        blank=True,
        validators=[_NAME],
        help_text="Only if your platform's link uses another name than usual.",
    )
    platform_study_id = models.CharField(
        "the study's id at the platform",
        max_length=200,
        blank=True,
        help_text="If given, links of other studies at the platform are refused.",
    )
    requires_signed_entry = models.BooleanField(
        "signed links only",
        default=False,
        help_text="Prolific's secured links: nobody can enter with an id that is not theirs, and people can go on on "
        "another device.",
    )
    token_parameter = models.CharField(
        "parameter of the signature",
        max_length=60,
        blank=True,
        validators=[_NAME],
        help_text="Only if the signed link uses another name than prolific_token.",
    )
    audience = models.CharField(
        max_length=200, blank=True, help_text="The domain for which Prolific signs links, e.g. study.example.org."
    )
    completion_address = models.URLField(
        max_length=500,
        blank=True,
        help_text="Connect: the redirect address for real completions. Nobody else is ever sent there.",
    )
    partial_address = models.URLField(
        max_length=500, blank=True, help_text="Connect: the address for partial completes; used for all other exits."
    )
    sona_host = models.CharField(
        "SONA host", max_length=200, blank=True, validators=[_HOST], help_text="For example school.sona-systems.com."
    )
    sona_experiment = models.CharField("SONA experiment id", max_length=60, blank=True)
    sealed_credit_token = models.TextField(blank=True, editable=False)
    not_if_took_part_in = models.ManyToManyField(
        Study,
        blank=True,
        related_name="+",
        help_text="People of these studies are told at once that they cannot take part. Works within one platform.",
    )
    ids_kept_days = models.PositiveIntegerField(
        "days to keep ids",
        default=60,
        validators=[MinValueValidator(1)],
        help_text="So many days after the study is closed, the readable ids of people are deleted. Review pay before.",
    )

    class Meta:
        verbose_name = "recruitment"
        verbose_name_plural = "recruitment"

    def __str__(self) -> str:
        return f"{self.study} on {PLATFORMS[self.platform].name}"


class ExitCode(models.Model):
    """The code that people get whose part ends in one way. Random, or as the platform made it."""

    recruitment = models.ForeignKey(Recruitment, on_delete=models.CASCADE, related_name="exit_codes")
    exit = models.CharField(max_length=24, choices=[(e, e.value.replace("_", " ")) for e in Exit])
    code = models.CharField(max_length=40, blank=True, validators=[_CODE], help_text="Empty: made for you, at random.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["recruitment", "exit"], name="one_code_per_exit"),
            models.UniqueConstraint(
                fields=["recruitment", "code"],
                name="codes_tell_exits_apart",
                violation_error_message="Each exit needs a code of its own: the platform tells them apart by it.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.exit}: {self.code}"


class PlatformBatch(models.Model):
    """People who come by one study, task or timeslot of a platform, with places of their own."""

    recruitment = models.ForeignKey(Recruitment, on_delete=models.CASCADE, related_name="batches")
    name = models.CharField(max_length=60, help_text="For your team alone, e.g. Tuesday, or Germany.")
    key = models.CharField(
        "id in the link",
        max_length=100,
        blank=True,
        validators=[_NAME],
        help_text="The study's id at the platform (Prolific STUDY_ID, Connect projectId, Mechanical Turk hitId), or a "
        "word of yours that you append to the link as batch=WORD. Empty: everybody who comes for no other batch.",
    )
    places = models.PositiveIntegerField(
        null=True, blank=True, help_text="How many people; the next one is told that all are taken. Empty: no limit."
    )
    places_taken = models.PositiveIntegerField("taken", default=0, editable=False)

    class Meta:
        verbose_name_plural = "platform batches"
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["recruitment", "key"],
                name="platform_batch_once",
                violation_error_message="Each batch needs an id of its own: the link tells them apart by it.",
            ),
            models.CheckConstraint(
                condition=Q(places=None) | Q(places_taken__lte=models.F("places")), name="people_within_batch"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class PlatformIdentity(models.Model):
    """Who an annotator is at the platform: hashes for look-up, sealed ids for review until they are erased.

    The study-wise hash that keeps one person from coming twice is the annotator's own `platform_hash`.
    """

    annotator = models.OneToOneField(Annotator, on_delete=models.CASCADE, related_name="identity")
    platform = models.CharField(max_length=20)
    person_hash = models.CharField(
        max_length=64, db_index=True, help_text="The same in all studies of a platform: for exclusion lists alone."
    )
    submission_hash = models.CharField(max_length=64, blank=True, db_index=True)
    sealed_person = models.TextField(blank=True)
    sealed_submission = models.TextField(blank=True)
    status = models.CharField(max_length=40, blank=True, help_text="The submission's state, as the platform says.")
    status_at = models.DateTimeField(null=True, blank=True)
    erased_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "platform identities"

    def __str__(self) -> str:
        return str(self.annotator)


class Invitation(models.Model):
    """A personal link. Its code is random; the link is the code with a signature."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="invitations")
    code = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    number = models.PositiveIntegerField(help_text="1 for the first invitation of the study.")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["study", "number"], name="invitation_number_once_per_study")]

    def __str__(self) -> str:
        return f"Invitation {self.number}"


class PlatformEvent(models.Model):
    """An event that a platform sent, so that a copy of it changes nothing. The ids in it are kept as a hash."""

    platform = models.CharField(max_length=20)
    event = models.CharField(max_length=200)
    signature = models.CharField(max_length=64, blank=True)
    kind = models.CharField(max_length=60)
    submission_hash = models.CharField(max_length=64, blank=True, db_index=True)
    status = models.CharField(max_length=40, blank=True)
    happened_at = models.DateTimeField()
    received_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["platform", "event"], name="platform_event_once"),
            models.UniqueConstraint(
                fields=["platform", "signature"], condition=~Q(signature=""), name="platform_event_signed_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.status}"


class PlatformMessage(models.Model):
    """Something that a platform must be told about an annotator. The row is the truth; tasks only wake it up."""

    identity = models.ForeignKey(PlatformIdentity, on_delete=models.CASCADE, related_name="messages")
    deed = models.CharField(max_length=20, choices=[(d, d.value) for d in Deed])
    body = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField()
    attempts = models.PositiveIntegerField(default=0)
    next_at = models.DateTimeField(help_text="Not tried again before.")
    sent_at = models.DateTimeField(null=True, blank=True)
    failed_at = models.DateTimeField(null=True, blank=True)
    problem = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["identity", "deed"], condition=Q(failed_at=None), name="platform_told_once_of_each_deed"
            )
        ]

    def __str__(self) -> str:
        return f"{self.deed}: {self.problem or 'sent' if self.sent_at else 'waiting'}"


class SigningKeys(models.Model):
    """The last good keys of a platform, for the time when it does not answer."""

    address = models.URLField(max_length=300, unique=True)
    keys = models.JSONField(default=dict)
    fetched_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "signing keys"

    def __str__(self) -> str:
        return self.address
