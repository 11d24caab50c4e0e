"""What is asked of whom: studies, criteria, matchups, and the comparisons and slots made from them."""

import uuid

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models

from annotation.models.agent import Agent
from annotation.models.dialogue import Collection, Dialogue
from annotation.models.generation import Response
from annotation.states import ComparisonKind, Side, StudyState


class Scale(models.TextChoices):
    """The answers offered. Grades run from much better left to much better right."""

    THREE = "three", "Left / about the same / right"
    TWO = "two", "Left / right, no tie"
    FIVE = "five", "Five grades"
    SEVEN = "seven", "Seven grades"


class Study(models.Model):
    """A frozen study (any state but draft) cannot change what annotators see."""

    code = models.UUIDField(default=uuid.uuid4, unique=True, editable=False, help_text="Addresses the study in links.")
    name = models.CharField(max_length=200, help_text="For researchers; annotators see the title.")
    title = models.CharField(max_length=200, help_text="What annotators see on every page.")
    state = models.CharField(max_length=10, choices=[(s, s.value) for s in StudyState], default=StudyState.DRAFT)
    collections = models.ManyToManyField(Collection, blank=True, related_name="studies")
    dialogues_limit = models.PositiveIntegerField(
        null=True, blank=True, help_text="Use this many dialogues, drawn evenly over kinds with the seed; empty = all."
    )
    judgements_per_comparison = models.PositiveIntegerField(
        "judgements per comparison (k)", default=3, validators=[MinValueValidator(1), MaxValueValidator(1000)]
    )
    quota_per_annotator = models.PositiveIntegerField(
        default=20, validators=[MinValueValidator(1)], help_text="The most comparisons one person judges."
    )
    annotators_limit = models.PositiveIntegerField(
        null=True, blank=True, help_text="Places in the study; empty = no limit."
    )
    places_taken = models.PositiveIntegerField(default=0, editable=False)
    scale = models.CharField(max_length=10, choices=Scale, default=Scale.THREE)
    offers_both_bad = models.BooleanField(default=False, help_text='Adds the answer "both are bad".')
    shuffles_criteria = models.BooleanField(default=False, help_text="Order of criteria differs per annotator.")
    reason_from_strength = models.PositiveIntegerField(
        null=True, blank=True, help_text="Ask for a reason from this strength on; 0 = always optional; empty = never."
    )
    lease_minutes = models.PositiveIntegerField(
        default=20,
        validators=[MinValueValidator(1)],
        help_text="How long a comparison is kept for a person who is away.",
    )
    seconds_per_comparison = models.PositiveIntegerField(default=45, help_text="Your estimate, shown as minutes left.")
    instructions = models.TextField(blank=True, help_text="Shown once before the first comparison.")
    guidelines = models.TextField(blank=True, help_text="One key away at all times. Empty: the instructions.")
    consent_text = models.TextField(blank=True)
    consent_version = models.CharField(max_length=60, default="1")
    contact = models.CharField(max_length=300, blank=True, help_text="Who annotators can ask.")
    payment = models.CharField(max_length=100, blank=True, help_text="Shown before consent, e.g. £2.40.")
    payment_amount = models.DecimalField(
        max_digits=8,
        decimal_places=2,
        null=True,
        blank=True,
        help_text="What a person gets for a full part, as a number.",
    )
    payment_currency = models.CharField(max_length=3, blank=True, help_text="For example GBP.")
    hourly_floor = models.DecimalField(
        max_digits=8, decimal_places=2, null=True, blank=True, help_text="The least that an hour should pay."
    )
    fee_percent = models.DecimalField(
        max_digits=5,
        decimal_places=2,
        default=0,
        help_text="What the platform takes on top of each payment, in per cent.",
    )
    device_check = models.CharField(
        max_length=10,
        blank=True,
        choices=[("any", "Any device, a look at the page first"), ("computer", "A computer or a large tablet")],
        help_text="Before the instructions; empty: none.",
    )
    has_instructions = models.BooleanField("shows the instructions", default=True)
    comprehension_attempts = models.PositiveIntegerField(
        default=2, validators=[MinValueValidator(1)], help_text="How often the questions may be answered."
    )
    training_needed = models.PositiveIntegerField(
        null=True, blank=True, help_text="So many training comparisons must be answered as expected; empty: no rule."
    )
    check_every = models.PositiveIntegerField(
        "a check in every … comparisons", null=True, blank=True, validators=[MinValueValidator(2)]
    )
    check_kinds = models.CharField(
        max_length=12,
        default="both",
        choices=[("both", "Both, in turn"), ("instruction", "Says what to choose"), ("nonsense", "Plain nonsense")],
    )
    gold_every = models.PositiveIntegerField(
        "a gold comparison in every …", null=True, blank=True, validators=[MinValueValidator(2)]
    )
    repeat_every = models.PositiveIntegerField(
        "a repeated comparison in every …", null=True, blank=True, validators=[MinValueValidator(2)]
    )
    minimum_seconds = models.PositiveIntegerField(
        "shortest usual time (seconds)",
        default=0,
        help_text="Faster answers are asked once whether the person is sure; nothing else follows. 0: never asked.",
    )
    message = models.TextField(
        blank=True,
        max_length=500,
        help_text="Shown once, on their next page, to everybody who takes part when it is sent.",
    )
    message_number = models.PositiveIntegerField(default=0, editable=False)
    message_at = models.DateTimeField(null=True, blank=True, editable=False)
    language = models.CharField(
        max_length=20,
        blank=True,
        validators=[
            RegexValidator(r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$", "Write a language tag such as de or pt-BR.")
        ],
        help_text="Of the texts above, e.g. de. Buttons and hints are in it too where they are translated (en, de, es, "
        "ar). Empty: each annotator's own, as far as it is one of these.",
    )
    seed = models.PositiveIntegerField(default=1)
    margin = models.FloatField(
        null=True, blank=True, help_text="Equivalence margin of the win score, e.g. 0.05, set beforehand."
    )
    planned_power = models.JSONField(default=dict, blank=True)
    rehearsal_of = models.ForeignKey("self", on_delete=models.CASCADE, null=True, blank=True, related_name="rehearsals")
    frozen_sha256 = models.CharField(max_length=64, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    launched_at = models.DateTimeField(null=True, blank=True, editable=False)
    closed_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["-created_at"]
        verbose_name_plural = "studies"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(annotators_limit=None) | models.Q(places_taken__lte=models.F("annotators_limit")),
                name="annotators_within_limit",
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_rehearsal(self) -> bool:
        return self.rehearsal_of_id is not None

    @property
    def is_frozen(self) -> bool:
        return self.state != StudyState.DRAFT


class Criterion(models.Model):
    """One question about every pair."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="criteria")
    key = models.SlugField(max_length=60, help_text="Its name in the CSV, e.g. naturalness.")
    name = models.CharField(max_length=100)
    question = models.CharField(max_length=300)
    definition = models.TextField(help_text="One or two sentences for lay people.")
    position = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["position", "id"]
        verbose_name_plural = "criteria"
        constraints = [models.UniqueConstraint(fields=["study", "key"], name="criterion_key_once_per_study")]

    def __str__(self) -> str:
        return self.name


class Matchup(models.Model):
    """Two agents that meet on every dialogue of the study."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="matchups")
    baseline = models.ForeignKey(Agent, on_delete=models.PROTECT, related_name="baseline_in")
    treatment = models.ForeignKey(Agent, on_delete=models.PROTECT, related_name="treatment_in")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["study", "baseline", "treatment"], name="matchup_once_per_study"),
            models.CheckConstraint(
                condition=~models.Q(baseline=models.F("treatment")),
                name="matchup_of_two_agents",
                violation_error_message="An agent that meets itself compares nothing: choose two agents.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.treatment} against {self.baseline}"


class Comparison(models.Model):
    """A dialogue with two responses. Its code is all that a browser ever learns of it."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="comparisons")
    matchup = models.ForeignKey(Matchup, on_delete=models.RESTRICT, related_name="comparisons")
    dialogue = models.ForeignKey(Dialogue, on_delete=models.PROTECT, related_name="comparisons")
    baseline_response = models.ForeignKey(Response, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    treatment_response = models.ForeignKey(Response, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    kind = models.CharField(max_length=10, choices=[(k, k.value) for k in ComparisonKind], default=ComparisonKind.MAIN)
    code = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    excluded_reason = models.CharField(max_length=300, blank=True)
    excluded_at = models.DateTimeField(null=True, blank=True)
    released_reason = models.CharField(
        max_length=300, blank=True, help_text="Why it is shown although a check flagged one of its responses."
    )
    released_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["matchup", "dialogue"],
                condition=models.Q(kind=ComparisonKind.MAIN),
                name="main_comparison_once",
            ),
            models.UniqueConstraint(
                fields=["matchup", "dialogue"],
                condition=models.Q(kind=ComparisonKind.REPEAT),
                name="repeat_of_comparison_once",
            ),
        ]

    def __str__(self) -> str:
        return str(self.code)


class Slot(models.Model):
    """One place for one judgement of a comparison, with its side fixed when the study is launched.

    Closed while an assignment holds or has answered it, and when its comparison is excluded; who filled it is told
    by the assignments alone.
    """

    comparison = models.ForeignKey(Comparison, on_delete=models.CASCADE, related_name="slots", db_index=False)
    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="slots", db_index=False)
    dialogue_id = models.BigIntegerField(help_text="The comparison's dialogue, so that a claim reads one table.")
    ordinal = models.PositiveIntegerField(help_text="0 to k-1 within the comparison: slots fill breadth first.")
    treatment_side = models.CharField(max_length=5, choices=[(s, s.value) for s in Side])
    rank = models.PositiveIntegerField(help_text="A random place on the ring of its layer, from the study's seed.")
    is_open = models.BooleanField(default=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["comparison", "ordinal"], name="slot_once_per_comparison")]
        indexes = [
            # Serves every claim: one side, lowest layer first, along the ring.
            models.Index(
                fields=["study", "treatment_side", "ordinal", "rank"],
                condition=models.Q(is_open=True),
                name="slot_open",
            )
        ]

    def __str__(self) -> str:
        return f"{self.comparison_id}.{self.ordinal}"
