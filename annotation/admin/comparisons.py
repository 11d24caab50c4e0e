"""Comparisons: two responses to one dialogue, and why one may be left out."""

from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString

from annotation.admin.asking import RowAction
from annotation.admin.base import ReadOnlyAdmin
from annotation.admin.browsing import BrowsingAdmin
from annotation.admin.membership import OfStudy
from annotation.models import Comparison, Response
from annotation.services.actors import Actor
from annotation.services.comparisons import (
    exclude_comparison,
    include_comparison,
    release_comparison,
    why_nothing_to_show,
    why_unusable,
)
from annotation.services.composing import use_for_training
from annotation.services.golds import mark_gold
from annotation.services.writing_again import write_again, written_here
from annotation.states import AssignmentState, ComparisonKind, Outcome, StudyState


def _exclude(comparison: Comparison, actor: Actor, reason: str) -> str:
    exclude_comparison(comparison, reason, actor=actor, now=timezone.now())
    return "The comparison is left out. Answers given so far stay in the export, with your reason."


def _include(comparison: Comparison, actor: Actor, reason: str) -> str:
    include_comparison(comparison, actor=actor)
    return "The comparison counts again."


def _release(comparison: Comparison, actor: Actor, reason: str) -> str:
    release_comparison(comparison, reason, actor=actor, now=timezone.now())
    return "The comparison will be shown, although a check found something."


def _write_again(comparison: Comparison, actor: Actor, reason: str) -> str:
    count = write_again(comparison, reason, actor=actor)
    return (
        f"{count} ordered again with new seeds. The old texts stay stored, and this is held back until both are fine."
    )


def _can_be_written_again(comparison: Comparison) -> bool:
    return comparison.study.state == StudyState.DRAFT and bool(written_here(comparison))


def _trainer(better: Outcome) -> RowAction[Comparison]:
    def train(comparison: Comparison, actor: Actor, reason: str) -> str:
        use_for_training(comparison, better, reason, actor=actor, now=timezone.now())
        return "Its texts are a training comparison now, and it is left out of the main part."

    return RowAction[Comparison](
        f"train-{better}",
        f"Use for training: the {better} is better",
        "school",
        "Copies the texts into a training comparison of the study and leaves this one out of the main part. Your words "
        "are the feedback that annotators read after their answer: do not name an agent.",
        train,
        _can_be_practice,
        asks_reason=True,
    )


def _can_be_practice(comparison: Comparison) -> bool:
    is_in = comparison.study.state == StudyState.DRAFT and comparison.excluded_at is None
    return is_in and not why_nothing_to_show(comparison)


def _golder(key: str, button: str, expected: Outcome | None) -> RowAction[Comparison]:
    def mark(comparison: Comparison, actor: Actor, reason: str) -> str:
        mark_gold(comparison, expected, actor=actor)
        return "It is an ordinary comparison again." if expected is None else "It is a gold comparison now."

    return RowAction[Comparison](
        key,
        button,
        "stars",
        "A gold comparison has an answer that you expect for every criterion. It counts in no result; how people "
        "answer it stands with their figures. It may weight or exclude data, and never rejects a person.",
        mark,
        lambda c: c.study.state == StudyState.DRAFT and (c.kind == ComparisonKind.GOLD) == (expected is None),
    )


def _is_held_back(comparison: Comparison) -> bool:
    is_draft = comparison.study.state == StudyState.DRAFT
    is_in = is_draft and comparison.excluded_at is None
    return is_in and bool(why_unusable(comparison)) and not why_nothing_to_show(comparison)


ACTIONS = (
    RowAction[Comparison](
        "exclude",
        "Leave this out",
        "block",
        "Annotators no longer get this comparison, and it does not enter the results. What was answered stays stored.",
        _exclude,
        lambda comparison: comparison.excluded_at is None,
        asks_reason=True,
        is_final=True,
    ),
    RowAction[Comparison](
        "include",
        "Take it in again",
        "undo",
        "The comparison is handed out again where answers are missing, and enters the results.",
        _include,
        lambda comparison: comparison.excluded_at is not None,
    ),
    RowAction[Comparison](
        "release",
        "Show it all the same",
        "check",
        "A check found something about a response. Read both; if people may judge them, release the comparison.",
        _release,
        _is_held_back,
        asks_reason=True,
    ),
    RowAction[Comparison](
        "regenerate",
        "Write again",
        "refresh",
        "Orders new texts for the flagged responses of this comparison, or for both where nothing is flagged. Imported "
        "responses stay as they are.",
        _write_again,
        _can_be_written_again,
        asks_reason=True,
    ),
    _trainer(Outcome.TREATMENT),
    _trainer(Outcome.BASELINE),
    _golder("gold-treatment", "Gold: the treatment is better", Outcome.TREATMENT),
    _golder("gold-baseline", "Gold: the baseline is better", Outcome.BASELINE),
    _golder("gold-none", "No gold comparison", None),
)


@admin.register(Comparison)
class ComparisonAdmin(OfStudy[Comparison], BrowsingAdmin, ReadOnlyAdmin[Comparison]):
    """Read only but for one thing: a comparison can be left out, with a reason that the report repeats."""

    row_actions = ACTIONS
    list_display = ("dialogue", "matchup", "notes", "kind", "found", "judged", "excluded_reason")
    list_filter = ("study", "kind", ("excluded_at", admin.EmptyFieldListFilter), "dialogue__kind")
    list_select_related = (
        "dialogue",
        "matchup__baseline__augmenter__model",
        "matchup__treatment__augmenter__model",
        "baseline_response",
        "treatment_response",
    )
    search_fields = ("dialogue__external_id", "excluded_reason", "baseline_response__text", "treatment_response__text")
    ordering = ("study_id", "id")
    readonly_fields = ("side_by_side", "found", "judged")
    fieldsets = (
        (None, {"fields": (("study", "matchup"), ("dialogue", "kind"), "found", "judged")}),
        ("The two responses", {"fields": ("side_by_side",)}),
        (
            "Left out, or shown all the same",
            {"fields": (("excluded_reason", "excluded_at"), ("released_reason", "released_at"))},
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Comparison]:
        submitted = Q(assignments__state=AssignmentState.SUBMITTED)
        return super().get_queryset(request).annotate(judged_count=Count("assignments", filter=submitted))

    @admin.display(description="judged", ordering="judged_count")
    def judged(self, comparison: Comparison) -> int:
        return int(getattr(comparison, "judged_count", 0))

    @admin.display(description="to be said of the agents")
    def notes(self, comparison: Comparison) -> str:
        agents = (comparison.matchup.baseline, comparison.matchup.treatment)
        return "; ".join(dict.fromkeys(agent.notes for agent in agents if agent.notes)) or "–"

    @admin.display(description="checks found")
    def found(self, comparison: Comparison) -> str:
        pair = {"baseline": comparison.baseline_response, "treatment": comparison.treatment_response}
        return "; ".join(f"{role}: {flaws}" for role, response in pair.items() if (flaws := _flaws(response))) or "–"

    @admin.display(description="as people compare them")
    def side_by_side(self, comparison: Comparison) -> SafeString:
        return render_to_string("admin/annotation/side_by_side.html", {"comparison": comparison})


def _flaws(response: Response | None) -> str:
    return "no response yet" if response is None else ", ".join(response.flags)
