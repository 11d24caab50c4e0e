"""Generation work as rows: runs, units with state, lease and attempt, and what came out."""

from django.db import models

from annotation.models.agent import Agent, LanguageModel
from annotation.models.dialogue import Dialogue
from annotation.states import RunState, UnitState
from inference_worker.schema import RESPOND, THINK


class Stage(models.TextChoices):
    THINK = THINK, "Think"
    RESPOND = RESPOND, "Respond"


class SkillOfMind(models.Model):
    """One augmenter output for a dialogue; `settings_hash` names the settings, so all who share them share it."""

    dialogue = models.ForeignKey(Dialogue, on_delete=models.CASCADE, related_name="skills_of_mind")
    settings_hash = models.CharField(max_length=64)
    sample = models.PositiveIntegerField(default=0)
    explanation = models.TextField(blank=True)
    skill = models.CharField(max_length=200, blank=True)
    nearest_skill = models.CharField(max_length=60, blank=True)
    outcome = models.CharField(max_length=30)
    raw_text = models.TextField(blank=True)
    provenance = models.JSONField(default=dict)
    is_current = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "skill-of-mind"
        verbose_name_plural = "skills-of-mind"
        constraints = [
            models.UniqueConstraint(
                fields=["dialogue", "settings_hash", "sample"],
                condition=models.Q(is_current=True),
                name="one_current_skill_of_mind",
            )
        ]

    def __str__(self) -> str:
        return f"{self.dialogue_id}: {self.skill or self.outcome}"


class Response(models.Model):
    """One agent's answer to a dialogue. `text` is what people see; `raw_text` is what the model wrote."""

    dialogue = models.ForeignKey(Dialogue, on_delete=models.PROTECT, related_name="responses")
    agent = models.ForeignKey(Agent, on_delete=models.PROTECT, related_name="responses")
    sample = models.PositiveIntegerField(default=0)
    text = models.TextField(blank=True)
    raw_text = models.TextField(blank=True)
    settings_hash = models.CharField(
        max_length=64, blank=True, help_text="Names all settings that made it: equal settings are not run twice."
    )
    flags = models.JSONField(default=list, blank=True, help_text="What the checks found, e.g. empty or truncated.")
    skill_of_mind = models.ForeignKey(
        SkillOfMind, on_delete=models.PROTECT, null=True, blank=True, related_name="responses"
    )
    provenance = models.JSONField(default=dict)
    is_current = models.BooleanField(default=True, help_text="A regenerated response keeps its predecessor.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["dialogue", "agent", "sample"], condition=models.Q(is_current=True), name="one_current_response"
            )
        ]

    def __str__(self) -> str:
        return f"{self.agent_id} on {self.dialogue_id}"


class GenerationRun(models.Model):
    """One order for responses: these agents on these dialogues."""

    study = models.ForeignKey("annotation.Study", on_delete=models.CASCADE, null=True, blank=True, related_name="runs")
    state = models.CharField(max_length=12, choices=[(s, s.value) for s in RunState], default=RunState.RUNNING)
    reused = models.PositiveIntegerField(default=0, help_text="Responses that were there already, with equal settings.")
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"Run {self.pk}"


class RunTally(models.Model):
    """How far a run is, per stage and model: kept in step with the units, so that reading it costs the same always."""

    run = models.ForeignKey(GenerationRun, on_delete=models.CASCADE, related_name="tallies")
    stage = models.CharField(max_length=10, choices=Stage)
    model = models.ForeignKey(LanguageModel, on_delete=models.PROTECT, related_name="+")
    total = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    cancelled = models.PositiveIntegerField(default=0)
    lost = models.PositiveIntegerField(
        default=0, help_text="How often a unit that was sent was lost on the way or with its worker."
    )
    prompt_tokens = models.PositiveBigIntegerField(default=0)
    completion_tokens = models.PositiveBigIntegerField(default=0)
    engine_microseconds = models.PositiveBigIntegerField(
        default=0, help_text="How long engines were at work on it, all workers together."
    )

    class Meta:
        ordering = ["-stage", "model_id"]
        constraints = [models.UniqueConstraint(fields=["run", "stage", "model"], name="tally_once")]

    def __str__(self) -> str:
        return f"{self.run_id} {self.stage}: {self.done} of {self.total}"


class RunCount(models.Model):
    """How often a run's thoughts ended in an outcome, and its responses got a flag: counted as they come."""

    class Subject(models.TextChoices):
        OUTCOME = "outcome", "Outcome of a skill-of-mind"
        FLAG = "flag", "Flag of a response"

    run = models.ForeignKey(GenerationRun, on_delete=models.CASCADE, related_name="counts")
    subject = models.CharField(max_length=10, choices=Subject)
    value = models.CharField(max_length=40)
    count = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["subject", "-count", "value"]
        constraints = [models.UniqueConstraint(fields=["run", "subject", "value"], name="run_count_once")]

    def __str__(self) -> str:
        return f"{self.value}: {self.count}"


class GenerationUnit(models.Model):
    """One text to write. The row is the truth; a message is only a wake-up."""

    run = models.ForeignKey(GenerationRun, on_delete=models.CASCADE, related_name="units", db_index=False)
    stage = models.CharField(max_length=10, choices=Stage)
    state = models.CharField(max_length=12, choices=[(s, s.value) for s in UnitState], default=UnitState.QUEUED)
    model = models.ForeignKey(LanguageModel, on_delete=models.PROTECT, related_name="units")
    dialogue = models.ForeignKey(Dialogue, on_delete=models.PROTECT, related_name="units")
    agent = models.ForeignKey(Agent, on_delete=models.PROTECT, null=True, blank=True, related_name="units")
    augmenter = models.ForeignKey(
        "annotation.Augmenter", on_delete=models.PROTECT, null=True, blank=True, related_name="units"
    )
    settings_hash = models.CharField(
        max_length=64, help_text="Think: the settings shared by augmenters. Respond: the agent's."
    )
    sample = models.PositiveIntegerField(default=0)
    seed = models.PositiveBigIntegerField(default=0)
    thinks_first = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, blank=True, related_name="followers")
    skill_of_mind = models.ForeignKey(
        SkillOfMind, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", help_text="What guides it."
    )
    batch = models.UUIDField(null=True, blank=True)
    token = models.UUIDField(null=True, blank=True, help_text="The attempt: a record must carry it.")
    attempt = models.PositiveIntegerField(default=0)
    losses = models.PositiveIntegerField(default=0, help_text="How often its worker went silent while it ran.")
    errors = models.PositiveIntegerField(default=0, help_text="How often it ended in an error that may pass by itself.")
    worker = models.CharField(max_length=200, blank=True, help_text="Who said that it runs this attempt.")
    sent_at = models.DateTimeField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    not_before = models.DateTimeField(null=True, blank=True)
    reason = models.TextField(blank=True, help_text="Why it failed.")
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            # Serves what is to be sent next, in order. No other index begins with the run alone: beside such a one the
            # planner may read and sort all that is queued while its statistics do not know of a large order yet.
            models.Index(fields=["run", "model", "state", "id"], name="unit_of_run"),
            models.Index(fields=["lease_until"], condition=models.Q(state=UnitState.SENT), name="unit_leased"),
            models.Index(fields=["token"], condition=models.Q(token__isnull=False), name="unit_of_token"),
            models.Index(fields=["run"], condition=models.Q(state=UnitState.FAILED), name="unit_failed"),
            models.Index(fields=["model", "batch"], condition=models.Q(state=UnitState.SENT), name="unit_in_batch"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["dialogue", "settings_hash", "sample"],
                condition=models.Q(stage=Stage.THINK, state__in=UnitState.open()),
                name="one_open_think_unit",
            ),
            models.UniqueConstraint(
                fields=["dialogue", "agent", "sample"],
                condition=models.Q(stage=Stage.RESPOND, state__in=UnitState.open()),
                name="one_open_respond_unit",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.stage} {self.pk} ({self.state})"


class Worker(models.Model):
    """A worker's last word about itself."""

    name = models.CharField(max_length=200, unique=True)
    slug = models.CharField(max_length=80, blank=True, help_text="The model that it serves, in its own word.")
    model = models.ForeignKey(
        LanguageModel,
        on_delete=models.CASCADE,
        null=True,
        related_name="workers",
        help_text="Empty where no registered model has that slug.",
    )
    revision = models.CharField(max_length=200, blank=True)
    engine = models.CharField(max_length=60)
    engine_version = models.CharField(max_length=60)
    device = models.CharField(max_length=200, blank=True)
    memory_bytes = models.PositiveBigIntegerField(default=0)
    tokens_per_second = models.FloatField(default=0)
    seen_at = models.DateTimeField()
    is_stopping = models.BooleanField(default=False)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
