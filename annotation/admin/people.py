"""Annotators, what they hold, what they reported, and the trail of what was done to a study. All of it read only."""

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone

from annotation.admin.asking import AskingAdmin, RowAction
from annotation.admin.base import ReadOnlyAdmin, clip
from annotation.admin.membership import OfStudy
from annotation.models import Annotator, Assignment, Event, Judgement, ProblemReport
from annotation.services import erasing, exclusions, identities
from annotation.services.actors import Actor


def _exclude(annotator: Annotator, actor: Actor, reason: str) -> str:
    exclusions.exclude_annotator(annotator, reason, actor=actor, now=timezone.now())
    return f"Judgements of {annotator} no longer enter the results. They stay in the export, with your reason."


def _include(annotator: Annotator, actor: Actor, reason: str) -> str:
    exclusions.include_annotator(annotator, reason, actor=actor)
    return f"Judgements of {annotator} enter the results again."


def _resolve(report: ProblemReport, actor: Actor, reason: str) -> str:
    exclusions.resolve_report(report, actor=actor, now=timezone.now())
    return "The report is marked as dealt with."


def _erase(annotator: Annotator, actor: Actor, reason: str) -> str:
    erased = erasing.erase_person(annotator.pk, now=timezone.now(), actor=actor)
    made = "; ".join(erased.bundles)
    files = f"Files made before still hold them, so tell whoever has these: {made}." if made else "No file holds them."
    return f"{annotator} is withdrawn; {erased.judgements} judgements and the id are erased. {files}"


def _show_id(annotator: Annotator, actor: Actor, reason: str) -> str:
    found = identities.reveal(annotator, reason, actor=actor)
    return f"{annotator} is {found} at {annotator.platform}." if found else f"The id of {annotator} is erased."


ANNOTATOR_ACTIONS = (
    RowAction[Annotator](
        "show-id",
        "Show the platform's id",
        "badge",
        "Ids are kept sealed and apart from judgements; you need one to review or pay a person at the platform. That "
        "you looked stands in the study's trail, with your reason.",
        _show_id,
        lambda annotator: bool(annotator.platform_hash) and annotator.platform != "invitation",
        asks_reason=True,
    ),
    RowAction[Annotator](
        "erase",
        "Withdraw and erase",
        "delete_forever",
        "Ends this person's part, deletes all their judgements and words, and their id at the platform. A keyed hash "
        "stays, so that they do not come twice. This cannot be taken back; you are told which files still hold them.",
        _erase,
        lambda annotator: not annotator.is_simulated,
        is_final=True,
    ),
    RowAction[Annotator](
        "exclude",
        "Leave out of the results",
        "person_off",
        "All judgements of this person leave the results; nothing is deleted. The report counts them as excluded, and "
        "your reason is printed in exports. Leaving people out because they disagree makes agreement look too good.",
        _exclude,
        lambda annotator: annotator.excluded_at is None,
        asks_reason=True,
        is_final=True,
    ),
    RowAction[Annotator](
        "include",
        "Take in again",
        "undo",
        "All judgements of this person enter the results again. The ledger keeps the exclusion beside your reason.",
        _include,
        lambda annotator: annotator.excluded_at is not None,
        asks_reason=True,
    ),
)


@admin.register(Annotator)
class AnnotatorAdmin(OfStudy[Annotator], AskingAdmin[Annotator], ReadOnlyAdmin[Annotator]):
    """A person in one study, known by a pseudonym."""

    row_actions = ANNOTATOR_ACTIONS
    list_display = ("pseudonym", "study", "platform", "submitted_count", "exit", "excluded_reason", "consented_at")
    list_filter = ("study", "platform", "exit", "is_simulated")
    list_select_related = ("study",)
    search_fields = ("pseudonym", "completion_code", "excluded_reason")
    search_help_text = "Finds pseudonyms and completion codes. Ids of platforms are sealed: no search finds them."
    ordering = ("-consented_at",)
    fieldsets = (
        (None, {"fields": (("study", "pseudonym"), ("platform", "is_simulated"))}),
        ("Consent", {"fields": (("consent_version", "consented_at"), "consent_sha256", "instructed_at")}),
        ("Progress", {"fields": (("submitted_count", "left_balance"), ("exit", "exited_at"))}),
        ("Afterwards", {"fields": ("completion_code", "feedback", ("excluded_reason", "excluded_at"))}),
    )


@admin.register(Assignment)
class AssignmentAdmin(OfStudy[Assignment], ReadOnlyAdmin[Assignment]):
    """A slot held by an annotator."""

    study_path = "annotator__study"
    list_display = ("id", "annotator", "comparison", "number", "state", "claimed_at", "submitted_at")
    list_filter = ("state", "annotator__study")
    list_select_related = ("annotator", "comparison")
    search_fields = ("annotator__pseudonym", "comparison__dialogue__external_id")
    ordering = ("-claimed_at",)


@admin.register(Judgement)
class JudgementAdmin(OfStudy[Judgement], ReadOnlyAdmin[Judgement]):
    """One criterion's outcome, in the agents' frame."""

    study_path = "assignment__annotator__study"
    list_display = ("id", "annotator", "criterion", "outcome", "grade", "treatment_side", "given_reason")
    list_filter = ("outcome", "treatment_side", "criterion__study")
    list_select_related = ("assignment__annotator", "criterion")
    search_fields = ("assignment__annotator__pseudonym", "reason")
    ordering = ("-id",)

    @admin.display(ordering="assignment__annotator__pseudonym")
    def annotator(self, judgement: Judgement) -> str:
        return judgement.assignment.annotator.pseudonym

    @admin.display(description="reason")
    def given_reason(self, judgement: Judgement) -> str:
        return clip(judgement.reason) or "–"


@admin.register(ProblemReport)
class ProblemReportAdmin(OfStudy[ProblemReport], AskingAdmin[ProblemReport], ReadOnlyAdmin[ProblemReport]):
    """What an annotator says is wrong with a comparison."""

    row_actions = (
        RowAction[ProblemReport](
            "resolve",
            "Mark as dealt with",
            "done",
            "Takes the report off the list of open ones. To keep a comparison from people, leave it out on its page.",
            _resolve,
            lambda report: report.resolved_at is None,
        ),
    )
    list_display = ("beginning", "study", "annotator", "created_at", "resolved_at")
    list_filter = (("resolved_at", admin.EmptyFieldListFilter), "study")
    list_select_related = ("study", "assignment__annotator")
    search_fields = ("text", "assignment__annotator__pseudonym")

    @admin.display(description="report")
    def beginning(self, report: ProblemReport) -> str:
        return clip(report.text)

    @admin.display(ordering="assignment__annotator__pseudonym")
    def annotator(self, report: ProblemReport) -> str:
        return report.assignment.annotator.pseudonym


@admin.register(Event)
class EventAdmin(OfStudy[Event], ReadOnlyAdmin[Event]):
    """Append-only: what changed a study, who did it and when."""

    list_display = ("at", "study", "verb", "actor", "what")
    list_filter = ("verb", "study")
    list_select_related = ("study", "actor")
    search_fields = ("verb", "study__name", "actor__username")

    @admin.display(description="detail")
    def what(self, event: Event) -> str:
        return clip(", ".join(f"{name}: {value}" for name, value in event.detail.items())) or "–"

    def has_delete_permission(self, request: HttpRequest, obj: Event | None = None) -> bool:
        return False
