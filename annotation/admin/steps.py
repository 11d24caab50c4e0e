"""The steps around the main part on a study's page: practice, questions about the instructions, closing questions."""

from typing import Any

from django.http import HttpRequest

from annotation.admin.base import ConsoleStackedInline
from annotation.admin.drafts import DraftInline, DraftRows
from annotation.models import ClosingQuestion, ComprehensionQuestion, Practice, Study

STEP_FIELDSETS: Any = (
    (
        "The way through the study",
        {
            "fields": (
                ("device_check", "has_instructions"),
                ("comprehension_attempts", "training_needed"),
                ("minimum_seconds",),
            ),
            "description": "The buttons above compose it: “Short”, “Careful”, “Paid strangers”. Then change what you "
            "like; a step without questions or texts is left out. Frozen with the launch.",
        },
    ),
    (
        "Checks of attention",
        {
            "fields": (("check_every", "check_kinds"), ("gold_every", "repeat_every")),
            "description": "None of them counts in the results. A check is one more item under a comparison that says "
            "itself what to choose, or states plain nonsense. Gold comparisons have an answer that you expect "
            "(choose them on their own pages); they may weight or exclude data, never reject a person. Repeats show "
            "how well people agree with themselves. Gold and repeats take places of a person's quota.",
        },
    ),
    (
        "Pay, for the monitor",
        {
            "fields": (("payment_amount", "payment_currency"), ("hourly_floor", "fee_percent")),
            "description": "The monitor computes pay by the hour and what the study costs from these.",
        },
    ),
)


class PracticeInline(DraftRows, ConsoleStackedInline[Any, Study]):
    """Worked examples and training, with texts of their own."""

    model = Practice
    verbose_name_plural = "9. Worked examples and training"
    fields = (
        ("position", "use"),
        "social_context",
        ("turns", "next_speaker"),
        ("left", "right"),
        ("criterion", "expected"),
        "feedback",
    )

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        return with_few_lines(super().formfield_for_dbfield(db_field, request, **kwargs))


class ComprehensionInline(DraftInline):
    """Questions about the instructions."""

    model = ComprehensionQuestion
    verbose_name_plural = "10. Questions about the instructions"
    fields = ("position", "text", "options", "right_option", "hint")

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        return with_few_lines(super().formfield_for_dbfield(db_field, request, **kwargs))


class ClosingInline(DraftInline):
    """Questions at the end."""

    model = ClosingQuestion
    verbose_name_plural = "11. Questions at the end"
    fields = ("position", "text", "options", "is_required")

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        return with_few_lines(super().formfield_for_dbfield(db_field, request, **kwargs))


def with_few_lines(field: Any) -> Any:
    """Text areas of three lines: many of them stand on one page."""
    if field is not None and "rows" in field.widget.attrs:
        field.widget.attrs["rows"] = 3
    return field


STEP_INLINES = (PracticeInline, ComprehensionInline, ClosingInline)
