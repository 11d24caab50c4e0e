"""The steps around the main part: what a study asks there, and what people did."""

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models

from annotation.flow import Step
from annotation.models.annotator import Annotator
from annotation.models.study import Study
from annotation.practice import LEFT, RIGHT, SAME, parse_options, parse_turns


class Practice(models.Model):
    """A comparison with a known answer: shown with it in the instructions, or answered as training.

    It has texts of its own, so no agent is in it and no result can count it.
    """

    class Use(models.TextChoices):
        EXAMPLE = "example", "Worked example, shown with its answer"
        TRAINING = "training", "Training, answered and then explained"

    class Expected(models.TextChoices):
        LEFT = LEFT, "Left"
        SAME = SAME, "About the same"
        RIGHT = RIGHT, "Right"

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="practice")
    position = models.PositiveIntegerField(default=0)
    use = models.CharField(max_length=10, choices=Use, default=Use.TRAINING)
    social_context = models.TextField(blank=True)
    turns = models.TextField(help_text="One turn a line: “Speaker: what is said”.")
    next_speaker = models.CharField(max_length=60, help_text="Who speaks next, in the two responses.")
    left = models.TextField("left response")
    right = models.TextField("right response")
    criterion = models.SlugField(
        max_length=60, blank=True, help_text="Key of the criterion that is asked; empty: the first one."
    )
    expected = models.CharField(max_length=5, choices=Expected)
    feedback = models.TextField(help_text="One or two sentences: why this is the answer. Shown after each answer.")

    class Meta:
        ordering = ["position", "id"]
        verbose_name_plural = "practice"

    def __str__(self) -> str:
        return f"{self.get_use_display()} {self.position}"

    def clean(self) -> None:
        """Say which line is no turn while the researcher still has the text at hand."""
        try:
            parse_turns(self.turns)
        except ValueError as problem:
            raise ValidationError({"turns": str(problem)}) from problem


class ComprehensionQuestion(models.Model):
    """A question about the instructions, with one right option. Graded on the server."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="comprehension_questions")
    position = models.PositiveIntegerField(default=0)
    text = models.CharField(max_length=300)
    options = models.TextField(help_text="One option a line, two at least.")
    right_option = models.PositiveIntegerField(
        default=1, validators=[MinValueValidator(1)], help_text="The number of the right line; annotators never get it."
    )
    hint = models.CharField(
        max_length=300, blank=True, help_text="Shown when the first attempt was wrong: where to look, not the answer."
    )

    class Meta:
        ordering = ["position", "id"]

    def __str__(self) -> str:
        return self.text[:60]

    def clean(self) -> None:
        """A right option must be one of at least two."""
        count = len(parse_options(self.options))
        if count < 2:
            raise ValidationError({"options": "Write at least two options, one a line."})
        if self.right_option > count:
            raise ValidationError({"right_option": f"There are {count} options: choose a number from 1 to {count}."})


class ClosingQuestion(models.Model):
    """A question after the last comparison. Without options it is answered in words."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="closing_questions")
    position = models.PositiveIntegerField(default=0)
    text = models.CharField(max_length=300)
    options = models.TextField(blank=True, help_text="One option a line; empty: answered in words.")
    is_required = models.BooleanField(default=False)

    class Meta:
        ordering = ["position", "id"]

    def __str__(self) -> str:
        return self.text[:60]


class StepAttempt(models.Model):
    """What a person did at a step around the main part: once, or once for each attempt or training comparison."""

    annotator = models.ForeignKey(Annotator, on_delete=models.CASCADE, related_name="step_attempts")
    step = models.CharField(max_length=14, choices=[(s, s.value) for s in Step])
    number = models.PositiveIntegerField(help_text="1 for the first attempt, or the first training comparison.")
    is_right = models.BooleanField(default=True)
    answers = models.JSONField(default=dict, blank=True)
    at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["annotator", "step", "number"], name="step_attempt_once")]

    def __str__(self) -> str:
        return f"{self.step} {self.number}"
