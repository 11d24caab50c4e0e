"""Comparisons: two responses to one dialogue, and why one may be left out."""

from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from annotation.admin.base import ReadOnlyAdmin
from annotation.models import Comparison, Response
from annotation.states import AssignmentState


@admin.register(Comparison)
class ComparisonAdmin(ReadOnlyAdmin[Comparison]):
    """Read only but for one thing: a comparison can be left out, with a reason that the report repeats."""

    list_display = ("dialogue", "matchup", "kind", "found", "judged", "excluded_reason")
    list_filter = ("study", "kind", ("excluded_at", admin.EmptyFieldListFilter), "dialogue__kind")
    list_select_related = (
        "dialogue",
        "matchup__baseline",
        "matchup__treatment",
        "baseline_response",
        "treatment_response",
    )
    search_fields = ("dialogue__external_id", "excluded_reason", "baseline_response__text", "treatment_response__text")
    ordering = ("study_id", "id")
    readonly_fields = ("side_by_side", "found", "judged")
    fieldsets = (
        (None, {"fields": (("study", "matchup"), ("dialogue", "kind"), "found", "judged")}),
        ("The two responses", {"fields": ("side_by_side",)}),
        ("Left out", {"fields": (("excluded_reason", "excluded_at"),)}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Comparison]:
        submitted = Q(assignments__state=AssignmentState.SUBMITTED)
        return super().get_queryset(request).annotate(judged_count=Count("assignments", filter=submitted))

    @admin.display(description="judged", ordering="judged_count")
    def judged(self, comparison: Comparison) -> int:
        return int(getattr(comparison, "judged_count", 0))

    @admin.display(description="checks found")
    def found(self, comparison: Comparison) -> str:
        pair = {"baseline": comparison.baseline_response, "treatment": comparison.treatment_response}
        return "; ".join(f"{role}: {flaws}" for role, response in pair.items() if (flaws := _flaws(response))) or "–"

    @admin.display(description="as people compare them")
    def side_by_side(self, comparison: Comparison) -> SafeString:
        return render_to_string("admin/annotation/side_by_side.html", {"comparison": comparison})


def _flaws(response: Response | None) -> str:
    return "no response yet" if response is None else ", ".join(response.flags)
