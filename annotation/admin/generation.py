"""What was generated, how, and what went wrong."""

import json
from typing import Any

from django.contrib import admin
from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Case, Count, Model, OuterRef, QuerySet, Subquery, Sum, Value, When
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString

from annotation.admin.asking import AskingAdmin, RowAction
from annotation.admin.base import ReadOnlyAdmin, as_text, clip
from annotation.admin.live_runs import LiveRunAdmin
from annotation.admin.membership import OfStudy
from annotation.admin.skill_pages import SkillRunAdmin
from annotation.errors import DuologueError
from annotation.models import Augmenter, GenerationRun, GenerationUnit, Response, SkillOfMind, Stage
from annotation.services import generation
from annotation.services.actors import Actor
from annotation.services.members import may
from annotation.services.trail import record
from annotation.services.writing_again import drafts_with, write_response_again
from annotation.states import RunState, UnitState


def as_rows(facts: dict[str, Any]) -> SafeString:
    """Show where a text came from as a small table, nested facts as JSON."""
    rows = [(name.replace("_", " "), json.dumps(v) if isinstance(v, dict | list) else v) for name, v in facts.items()]
    return render_to_string("admin/annotation/facts.html", {"rows": rows})


@admin.register(SkillOfMind)
class SkillOfMindAdmin(ReadOnlyAdmin[SkillOfMind]):
    """An augmenter's thought about a dialogue."""

    list_display = ("dialogue", "skill", "note", "thought", "outcome", "is_current", "created_at")
    list_filter = ("outcome", "is_current", "nearest_skill", "dialogue__collection")
    list_select_related = ("dialogue",)
    search_fields = ("skill", "explanation", "dialogue__external_id")
    readonly_fields = ("note", "explanation_text", "raw", "made_by")
    fieldsets = (
        (None, {"fields": ("dialogue", "note", ("skill", "nearest_skill"), "explanation_text")}),
        ("How it was parsed", {"fields": (("outcome", "is_current"), "raw")}),
        ("Provenance", {"fields": ("made_by", ("settings_hash", "sample"), "created_at")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[SkillOfMind]:
        ordered = GenerationUnit.objects.filter(dialogue=OuterRef("dialogue"), settings_hash=OuterRef("settings_hash"))
        notes = {augmenter.pk: augmenter.notes for augmenter in Augmenter.objects.select_related("model")}
        words = Case(*(When(augmenter=pk, then=Value(said)) for pk, said in notes.items()), default=Value(""))
        thought = ordered.filter(stage=Stage.THINK).annotate(words=words).exclude(words="")
        said = thought.values("words")[:1]
        return super().get_queryset(request).annotate(augmenter_note=Subquery(said))

    @admin.display(description="to be said of the augmenter")
    def note(self, skill: SkillOfMind) -> str:
        lender = skill.provenance.get("taken_from", {}).get("dialogue", "")
        said = [f"taken from dialogue {lender}" if lender else "", getattr(skill, "augmenter_note", "")]
        return "; ".join(filter(None, said)) or "–"

    @admin.display(description="explanation")
    def thought(self, skill: SkillOfMind) -> str:
        return clip(skill.explanation)

    @admin.display(description="explanation")
    def explanation_text(self, skill: SkillOfMind) -> SafeString:
        return as_text(skill.explanation)

    @admin.display(description="raw text")
    def raw(self, skill: SkillOfMind) -> SafeString:
        return as_text(skill.raw_text)

    @admin.display(description="made by")
    def made_by(self, skill: SkillOfMind) -> SafeString:
        return as_rows(skill.provenance)


class UsableFilter(admin.SimpleListFilter):
    """Responses that the checks found something about."""

    title = "checks"
    parameter_name = "checks"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("clean", "nothing found"), ("flagged", "something found")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Response]) -> QuerySet[Response]:
        if self.value() == "clean":
            return queryset.filter(flags=[])
        return queryset.exclude(flags=[]) if self.value() == "flagged" else queryset


def _regenerate(response: Response, actor: Actor, reason: str) -> str:
    write_response_again(response, reason, actor=actor)
    return "A new text is ordered. This one is kept, and no longer current once the new one is there."


REGENERATE = RowAction[Response](
    "regenerate",
    "Write this again",
    "refresh",
    "Orders a new text from the same agent with a new seed. Comparisons of launched studies keep what they show.",
    _regenerate,
    lambda response: response.is_current and response.agent.responder_id is not None,
    asks_reason=True,
)


@admin.register(Response)
class ResponseAdmin(AskingAdmin[Response], ReadOnlyAdmin[Response]):
    """One agent's answer to a dialogue, with everything that is needed to make it again."""

    row_actions = (REGENERATE,)
    list_display = ("dialogue", "agent", "note", "beginning", "found", "is_current", "created_at")
    list_filter = ("agent", UsableFilter, "is_current", "dialogue__kind", "dialogue__collection")
    list_select_related = ("dialogue", "agent__augmenter__model")
    search_fields = ("text", "dialogue__external_id", "agent__name")
    readonly_fields = ("note", "answer", "raw", "found", "thought", "made_by")
    fieldsets = (
        (None, {"fields": (("dialogue", "agent"), "note", "answer", "found")}),
        ("Skill-of-mind", {"fields": ("thought",)}),
        ("Provenance", {"fields": ("made_by", ("is_current", "sample"), "created_at")}),
        ("As the model wrote it", {"fields": ("raw",)}),
    )

    def allows(self, user: User | AnonymousUser, action: str, row: Model | None) -> bool:
        """A new text changes what drafts compare: whoever orders one may change all of them."""
        return not isinstance(row, Response) or all(may(user, action, study) for study in drafts_with(row))

    @admin.display(description="to be said of the agent")
    def note(self, response: Response) -> str:
        return response.agent.notes or "–"

    @admin.display(description="text")
    def beginning(self, response: Response) -> str:
        return clip(response.text)

    @admin.display(description="text")
    def answer(self, response: Response) -> SafeString:
        return as_text(response.text)

    @admin.display(description="raw text")
    def raw(self, response: Response) -> SafeString:
        return as_text(response.raw_text)

    @admin.display(description="checks found")
    def found(self, response: Response) -> str:
        return ", ".join(response.flags) or "nothing"

    @admin.display(description="explanation and skill")
    def thought(self, response: Response) -> SafeString | str:
        skill = response.skill_of_mind
        if skill is None:
            return "none: this agent answers alone"
        return format_html("{}<p><b>{}</b></p>", as_text(skill.explanation), skill.skill or skill.outcome)

    @admin.display(description="made by")
    def made_by(self, response: Response) -> SafeString:
        return as_rows(response.provenance)


def _note(run: GenerationRun, verb: str, actor: Actor) -> None:
    """Write into the trail of the run's study what somebody did to the run."""
    if run.study:
        record(run.study, verb, actor=actor, run=run.pk)


def _retry(run: GenerationRun, actor: Actor, reason: str) -> str:
    count = generation.retry_failed(run)
    _note(run, "retry run", actor)
    return f"{count} texts are queued again."


def _pause(run: GenerationRun, actor: Actor, reason: str) -> str:
    if not generation.pause(run):
        raise DuologueError(f"{run} does not run any more: somebody was faster.")
    _note(run, "pause run", actor)
    return "Nothing more is sent for this run; what workers hold is still stored."


def _resume(run: GenerationRun, actor: Actor, reason: str) -> str:
    if not generation.resume(run):
        raise DuologueError(f"{run} is not paused any more: somebody was faster.")
    _note(run, "resume run", actor)
    return "The run goes on."


def _cancel(run: GenerationRun, actor: Actor, reason: str) -> str:
    count = generation.cancel(run)
    _note(run, "cancel run", actor)
    return f"The run has ended; {count} texts are given up."


def _is_open(run: GenerationRun) -> bool:
    return run.state in (RunState.RUNNING, RunState.PAUSED)


RUN_ACTIONS = (
    RowAction[GenerationRun](
        "retry",
        "Try failed ones again",
        "refresh",
        "Queues every failed text of this run anew. Look below at why they failed: a missing model or "
        "too little memory has to be mended first.",
        _retry,
        lambda run: run.state != RunState.CANCELLED and run.units.filter(state=UnitState.FAILED).exists(),
        is_main=True,
    ),
    RowAction[GenerationRun](
        "pause",
        "Pause",
        "pause",
        "Sends nothing more to workers until you resume.",
        _pause,
        lambda run: run.state == RunState.RUNNING,
    ),
    RowAction[GenerationRun](
        "resume",
        "Resume",
        "play_arrow",
        "Sends texts to workers again.",
        _resume,
        lambda run: run.state == RunState.PAUSED,
    ),
    RowAction[GenerationRun](
        "cancel",
        "Cancel",
        "cancel",
        "Ends the run. Texts that are not written yet are given up; those that are there stay.",
        _cancel,
        _is_open,
        is_final=True,
    ),
)


@admin.register(GenerationRun)
class GenerationRunAdmin(OfStudy[GenerationRun], LiveRunAdmin, SkillRunAdmin, ReadOnlyAdmin[GenerationRun]):
    """One order for responses."""

    row_actions = RUN_ACTIONS
    readonly_fields = ("failures", "parts", "reference_figures")
    fieldsets = (
        (None, {"fields": (("study", "state"), ("created_at", "finished_at"), "reused")}),
        ("How far it is", {"fields": ("parts",)}),
        ("Reference skills", {"fields": ("reference_figures",)}),
        ("What failed, and why", {"fields": ("failures",)}),
    )

    list_display = ("__str__", "study", "state", "done", "failed", "units_count", "created_at", "finished_at")
    list_filter = ("state", "study")
    list_select_related = ("study",)
    search_fields = ("study__name",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[GenerationRun]:
        return (
            super()
            .get_queryset(request)
            .annotate(
                all_units=Sum("tallies__total"),
                done_units=Sum("tallies__done"),
                failed_units=Sum("tallies__failed"),
            )
        )

    @admin.display(description="reasons")
    def failures(self, run: GenerationRun) -> SafeString:
        failed = run.units.filter(state=UnitState.FAILED).values_list("reason").annotate(n=Count("pk")).order_by("-n")
        return render_to_string("admin/annotation/facts.html", {"rows": [(f"{n} texts", why) for why, n in failed]})

    @admin.display(description="texts", ordering="all_units")
    def units_count(self, run: GenerationRun) -> int:
        return int(getattr(run, "all_units", 0) or 0)

    @admin.display(description="done", ordering="done_units")
    def done(self, run: GenerationRun) -> int:
        return int(getattr(run, "done_units", 0) or 0)

    @admin.display(description="failed", ordering="failed_units")
    def failed(self, run: GenerationRun) -> int:
        return int(getattr(run, "failed_units", 0) or 0)


def _retry_run(unit: GenerationUnit, actor: Actor, reason: str) -> str:
    return _retry(unit.run, actor, reason)


@admin.register(GenerationUnit)
class GenerationUnitAdmin(OfStudy[GenerationUnit], AskingAdmin[GenerationUnit], ReadOnlyAdmin[GenerationUnit]):
    """One text to write: where it is, and why it failed."""

    study_path = "run__study"
    row_actions = (
        RowAction[GenerationUnit](
            "retry",
            "Try failed ones of this run again",
            "refresh",
            "Queues this text and every other failed one of its run anew, with new seeds.",
            _retry_run,
            lambda unit: unit.state == UnitState.FAILED,
        ),
    )
    list_display = ("id", "stage", "state", "model", "dialogue", "agent", "attempt", "why", "lease_until")
    list_filter = ("state", "stage", "model", "run")
    list_select_related = ("model", "dialogue", "agent")
    search_fields = ("reason", "dialogue__external_id", "agent__name")

    @admin.display(description="why it failed", ordering="reason")
    def why(self, unit: GenerationUnit) -> str:
        return clip(unit.reason) or "–"
