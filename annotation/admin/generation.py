"""What was generated, how, and what went wrong."""

import json
from typing import Any

from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString

from annotation.admin.base import ReadOnlyAdmin, as_text, clip
from annotation.models import GenerationRun, GenerationUnit, Response, SkillOfMind
from annotation.states import UnitState


def as_rows(facts: dict[str, Any]) -> SafeString:
    """Show where a text came from as a small table, nested facts as JSON."""
    rows = [(name.replace("_", " "), json.dumps(v) if isinstance(v, dict | list) else v) for name, v in facts.items()]
    return render_to_string("admin/annotation/facts.html", {"rows": rows})


@admin.register(SkillOfMind)
class SkillOfMindAdmin(ReadOnlyAdmin[SkillOfMind]):
    """An augmenter's thought about a dialogue."""

    list_display = ("dialogue", "skill", "thought", "outcome", "is_current", "created_at")
    list_filter = ("outcome", "is_current", "nearest_skill", "dialogue__collection")
    list_select_related = ("dialogue",)
    search_fields = ("skill", "explanation", "dialogue__external_id")
    readonly_fields = ("explanation_text", "raw", "made_by")
    fieldsets = (
        (None, {"fields": ("dialogue", ("skill", "nearest_skill"), "explanation_text")}),
        ("How it was parsed", {"fields": (("outcome", "is_current"), "raw")}),
        ("Provenance", {"fields": ("made_by", ("settings_hash", "sample"), "created_at")}),
    )

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


@admin.register(Response)
class ResponseAdmin(ReadOnlyAdmin[Response]):
    """One agent's answer to a dialogue, with everything that is needed to make it again."""

    list_display = ("dialogue", "agent", "beginning", "found", "is_current", "created_at")
    list_filter = ("agent", UsableFilter, "is_current", "dialogue__kind", "dialogue__collection")
    list_select_related = ("dialogue", "agent")
    search_fields = ("text", "dialogue__external_id", "agent__name")
    readonly_fields = ("answer", "raw", "found", "thought", "made_by")
    fieldsets = (
        (None, {"fields": (("dialogue", "agent"), "answer", "found")}),
        ("Skill-of-mind", {"fields": ("thought",)}),
        ("Provenance", {"fields": ("made_by", ("is_current", "sample"), "created_at")}),
        ("As the model wrote it", {"fields": ("raw",)}),
    )

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


@admin.register(GenerationRun)
class GenerationRunAdmin(ReadOnlyAdmin[GenerationRun]):
    """One order for responses."""

    list_display = ("__str__", "study", "state", "done", "failed", "units_count", "created_at", "finished_at")
    list_filter = ("state", "study")
    list_select_related = ("study",)
    search_fields = ("study__name",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[GenerationRun]:
        return (
            super()
            .get_queryset(request)
            .annotate(
                all_units=Count("units"),
                done_units=Count("units", filter=Q(units__state=UnitState.DONE)),
                failed_units=Count("units", filter=Q(units__state=UnitState.FAILED)),
            )
        )

    @admin.display(description="texts", ordering="all_units")
    def units_count(self, run: GenerationRun) -> int:
        return int(getattr(run, "all_units", 0))

    @admin.display(description="done", ordering="done_units")
    def done(self, run: GenerationRun) -> int:
        return int(getattr(run, "done_units", 0))

    @admin.display(description="failed", ordering="failed_units")
    def failed(self, run: GenerationRun) -> int:
        return int(getattr(run, "failed_units", 0))


@admin.register(GenerationUnit)
class GenerationUnitAdmin(ReadOnlyAdmin[GenerationUnit]):
    """One text to write: where it is, and why it failed."""

    list_display = ("id", "stage", "state", "model", "dialogue", "agent", "attempt", "why", "lease_until")
    list_filter = ("state", "stage", "model", "run")
    list_select_related = ("model", "dialogue", "agent")
    search_fields = ("reason", "dialogue__external_id", "agent__name")

    @admin.display(description="why it failed", ordering="reason")
    def why(self, unit: GenerationUnit) -> str:
        return clip(unit.reason) or "–"
