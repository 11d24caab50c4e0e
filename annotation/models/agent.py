"""The registry: which model on which engine, which prompts, which augmenter, and the agents made of them."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models


class Backend(models.TextChoices):
    LLAMACPP = "llamacpp", "llama.cpp (embedded, CPU)"
    VLLM = "vllm", "vLLM (GPU)"
    TRANSFORMERS = "transformers", "transformers"
    OPENAI = "openai", "OpenAI-compatible endpoint"
    REPLAY = "replay", "Replay from a file"


class Source(models.TextChoices):
    """Who writes the guidance."""

    THANOS = "thanos", "Skill-of-mind model (Thanos)"
    OWN = "own", "The responder's own skill"
    DOCTOR = "doctor", "Dialogue chain of thought (DOCTOR)"
    RANDOM = "random", "Control: a random skill"
    SHUFFLED = "shuffled", "Control: guidance of another dialogue"
    FIXED = "fixed", "A skill fixed by the researcher"


class Guidance(models.TextChoices):
    """How much of the skill-of-mind the responder sees."""

    BOTH = "both", "Explanation and skill"
    SKILL = "skill", "Skill only"
    EXPLANATION = "explanation", "Explanation only"


class LanguageModel(models.Model):
    """A model as workers serve it. Its slug names its queue."""

    name = models.CharField(max_length=200, unique=True)
    slug = models.SlugField(max_length=80, unique=True, help_text="Names the queue: workers start with this word.")
    backend = models.CharField(max_length=20, choices=Backend)
    source = models.CharField(max_length=300, help_text="Hub id, path, packaged file or endpoint name.")
    revision = models.CharField(max_length=100, blank=True, help_text="Commit on the hub, to pin the weights.")
    options = models.JSONField(default=dict, blank=True, help_text='Engine options, e.g. {"dtype": "bfloat16"}.')
    batch_items = models.PositiveIntegerField(
        null=True, blank=True, help_text="The most texts sent in one batch; empty = what suits the engine."
    )
    batch_tokens = models.PositiveIntegerField(
        null=True, blank=True, help_text="The most tokens expected in one batch; empty = what suits the engine."
    )
    licence = models.CharField(max_length=200, blank=True)
    note = models.CharField(max_length=300, blank=True, help_text="Shown to researchers wherever the model appears.")

    class Meta:
        ordering = ["name"]
        verbose_name = "model"

    def __str__(self) -> str:
        return self.name


class PromptSet(models.Model):
    """Prompt templates by role. Never changed once made: a change is a new set."""

    name = models.CharField(max_length=200, unique=True)
    source = models.CharField(
        max_length=500, blank=True, help_text="Our own words, or where the published file came from."
    )
    sha256 = models.CharField(max_length=64, editable=False)
    is_published = models.BooleanField(default=False, help_text="The wording that a model's authors published.")
    templates = models.JSONField(help_text='{"think": {"system": …, "user": …}, "baseline": …, "both": …, …}')
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class SamplingFields(models.Model):
    """How text is drawn."""

    temperature = models.FloatField(default=0.0, validators=[MinValueValidator(0), MaxValueValidator(2)])
    top_p = models.FloatField(default=1.0, validators=[MinValueValidator(0.01), MaxValueValidator(1)])
    max_new_tokens = models.PositiveIntegerField(
        default=256, validators=[MinValueValidator(1), MaxValueValidator(8192)]
    )
    seed = models.PositiveIntegerField(default=0, help_text="Every text's own seed is made from this one.")

    class Meta:
        abstract = True


NOT_THANOS = "demo augmenter, not Thanos"
"""What is said of an augmenter that stands in for a skill-of-mind model."""


class Augmenter(SamplingFields):
    """What guides a responder. Augmenters that think alike share one skill-of-mind a dialogue."""

    name = models.CharField(max_length=200, unique=True)
    source = models.CharField(max_length=20, choices=Source, default=Source.THANOS)
    guidance = models.CharField(max_length=20, choices=Guidance, default=Guidance.BOTH)
    model = models.ForeignKey(LanguageModel, on_delete=models.PROTECT, null=True, blank=True, related_name="augmenters")
    prompt_set = models.ForeignKey(
        PromptSet, on_delete=models.PROTECT, null=True, blank=True, related_name="augmenters"
    )
    fixed_skill = models.CharField(max_length=60, blank=True)
    uses_grammar = models.BooleanField(
        default=False, help_text="Force the output format: for models not tuned to write it."
    )
    note = models.CharField(max_length=300, blank=True, help_text="Shown to researchers wherever its results appear.")

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def is_stand_in(self) -> bool:
        """Whether another model writes what it says Thanos writes: neither weights nor adapter are named so."""
        if self.source not in (Source.THANOS, Source.SHUFFLED) or self.model is None:
            return False
        return "thanos" not in f"{self.model.source} {self.model.options.get('lora', '')}".lower()

    @property
    def notes(self) -> str:
        """What must be said to researchers wherever it appears, whatever was typed as its note."""
        derived = NOT_THANOS if self.is_stand_in and NOT_THANOS not in self.note else ""
        return "; ".join(said for said in (self.note, derived) if said)


class Agent(SamplingFields):
    """A responder with or without an augmenter: what a matchup compares."""

    name = models.CharField(max_length=200, unique=True)
    responder = models.ForeignKey(LanguageModel, on_delete=models.PROTECT, null=True, blank=True, related_name="agents")
    prompt_set = models.ForeignKey(PromptSet, on_delete=models.PROTECT, null=True, blank=True, related_name="agents")
    augmenter = models.ForeignKey(Augmenter, on_delete=models.PROTECT, null=True, blank=True, related_name="agents")
    keeps_full_sentences = models.BooleanField(
        default=False,
        help_text="Where the token limit cuts a response, show it up to its last full sentence (noted as shortened).",
    )
    note = models.CharField(max_length=300, blank=True, help_text="Shown to researchers wherever its results appear.")

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def notes(self) -> str:
        """What must be said to researchers wherever this agent appears."""
        said = [self.note, self.augmenter.notes if self.augmenter else ""]
        return "; ".join(dict.fromkeys(note for note in said if note))
