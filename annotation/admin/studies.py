"""The study: what is asked of whom, from the first draft to the last judgement."""

from dataclasses import asdict
from typing import Any

from django.contrib import admin
from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest

from annotation.admin.drafts import DraftInline, is_editable
from annotation.admin.membership import MembershipInline
from annotation.admin.steps import STEP_FIELDSETS, STEP_INLINES
from annotation.admin.study_pages import GuidedStudyAdmin
from annotation.criteria import USUAL_CRITERIA
from annotation.models import Criterion, Matchup, Membership, Slot, Study
from annotation.services import editing, members
from annotation.services.actors import actor_of
from annotation.states import AssignmentState

FIRST_INSTRUCTIONS = (
    "You will read the beginning of a conversation and two ways in which it could go on. "
    "For each question, say which of the two you prefer. There are no right or wrong answers: we want your own view."
)


# Lines of the text fields: enough to read what is in them, and the page stays short.
LINES = {"consent_text": 8, "instructions": 5, "guidelines": 4, "definition": 3}


def with_lines(field: Any, name: str) -> Any:
    """Give a form field as many lines as its text needs."""
    if field is not None and name in LINES:
        field.widget.attrs["rows"] = LINES[name]
    return field


class CriterionInline(DraftInline):
    """The questions about every pair; a new study starts with the usual three."""

    model = Criterion
    verbose_name_plural = "8. What is asked about every pair"
    fields = ("position", "name", "key", "question", "definition")

    def get_extra(self, request: HttpRequest, obj: Study | None = None, **kwargs: Any) -> int:
        return 0 if obj else len(USUAL_CRITERIA)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        return with_lines(super().formfield_for_dbfield(db_field, request, **kwargs), db_field.name)


class MatchupInline(DraftInline):
    """Which agents meet on every dialogue. The treatment is the one that you expect something of."""

    model = Matchup
    verbose_name_plural = "7. Which agents meet"
    fields = ("baseline", "treatment")
    autocomplete_fields = ("baseline", "treatment")

    def get_extra(self, request: HttpRequest, obj: Study | None = None, **kwargs: Any) -> int:
        return 0 if obj else 1


def _with_notes(matchup: Matchup) -> str:
    notes = dict.fromkeys(agent.notes for agent in (matchup.baseline, matchup.treatment) if agent.notes)
    return f"{matchup} ({'; '.join(notes)})" if notes else str(matchup)


def _slots(**which: Any) -> Coalesce:
    """Count slots of the study of the outer query."""
    rows = Slot.objects.filter(study=OuterRef("pk"), **which).order_by().values("study")
    return Coalesce(Subquery(rows.annotate(n=Count("pk")).values("n"), output_field=IntegerField()), 0)


@admin.register(Study)
class StudyAdmin(GuidedStudyAdmin):
    """One page per study: settings that follow the order of the work."""

    list_display = ("name", "state", "matchup_names", "progress", "is_a_rehearsal", "created_at")
    list_filter = ("state", ("rehearsal_of", admin.EmptyFieldListFilter), "collections")
    search_fields = ("name", "title")
    filter_horizontal = ("collections",)
    inlines = (MatchupInline, CriterionInline, *STEP_INLINES, MembershipInline)
    fieldsets = (
        (
            "1. What it is",
            {
                "fields": (("name", "title"),),
                "description": "The name is yours; annotators read the title, so it must not say what is compared.",
            },
        ),
        (
            "2. Which dialogues",
            {
                "fields": ("collections", ("dialogues_limit", "seed")),
                "description": "Every dialogue becomes one comparison for each matchup below.",
            },
        ),
        (
            "3. How many judgements",
            {
                "fields": (
                    ("judgements_per_comparison", "quota_per_annotator"),
                    ("annotators_limit", "lease_minutes"),
                    "seconds_per_comparison",
                ),
                "description": "Each comparison gets exactly k judgements from k people.",
            },
        ),
        (
            "4. How people answer",
            {"fields": (("scale", "offers_both_bad"), ("shuffles_criteria", "reason_from_strength"))},
        ),
        (
            "5. What people read before they begin",
            {
                "fields": (
                    "consent_text",
                    ("consent_version", "contact"),
                    "payment",
                    "instructions",
                    "guidelines",
                    "language",
                )
            },
        ),
        (
            "6. What counts as no difference",
            {
                "fields": ("margin",),
                "description": "Only for a claim that two agents are equally good; it must be set before the launch.",
            },
        ),
        *STEP_FIELDSETS,
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Study]:
        filled = _slots(assignments__state=AssignmentState.SUBMITTED)
        studies = super().get_queryset(request).annotate(slots_all=_slots(), slots_filled=filled)
        return studies.prefetch_related("matchups__baseline__augmenter__model", "matchups__treatment__augmenter__model")

    def get_inlines(self, request: HttpRequest, obj: Study | None) -> Any:
        return self.inlines if obj else (MatchupInline, CriterionInline)

    def get_readonly_fields(self, request: HttpRequest, obj: Study | None = None) -> list[str]:
        if is_editable(obj):
            return []
        shown = [column.name for column in Study._meta.get_fields() if getattr(column, "editable", False)]
        return [name for name in shown if name not in editing.FREE_AFTER_LAUNCH]

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        return with_lines(super().formfield_for_dbfield(db_field, request, **kwargs), db_field.name)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"instructions": FIRST_INSTRUCTIONS, **super().get_changeform_initial_data(request)}

    def get_formset_kwargs(self, request: HttpRequest, obj: Any, inline: Any, prefix: str) -> dict[str, Any]:
        kwargs: dict[str, Any] = super().get_formset_kwargs(request, obj, inline, prefix)
        if isinstance(inline, CriterionInline) and obj.pk is None and request.method == "GET":
            kwargs["initial"] = [{**asdict(preset), "position": n} for n, preset in enumerate(USUAL_CRITERIA, 1)]
        return kwargs

    def has_delete_permission(self, request: HttpRequest, obj: Study | None = None) -> bool:
        return is_editable(obj) and super().has_delete_permission(request, obj)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> tuple[list[Any], dict[str, int], set[str], Any]:
        """What goes with a draft needs no permission of its own: its parts cannot be deleted by hand at all."""
        shown, counts, _, protected = super().get_deleted_objects(objs, request)
        return shown, counts, set(), protected

    def save_model(self, request: HttpRequest, obj: Study, form: Any, change: bool) -> None:
        editing.save_study(obj, actor=actor_of(request.user))

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        asked = [formset for formset in formsets if formset.model is not Membership and formset.has_changed()]
        parts = [str(formset.model._meta.verbose_name_plural) for formset in asked]
        parts += ["collections"] if "collections" in form.changed_data else []
        if parts:
            editing.change_parts(form.instance, parts, actor=actor_of(request.user))
        super().save_related(request, form, formsets, change)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        if formset.model is not Membership:
            return super().save_formset(request, form, formset, change)
        kept = formset.save(commit=False)
        members.change_members(form.instance, kept=kept, removed=formset.deleted_objects, actor=actor_of(request.user))

    @admin.display(description="matchups")
    def matchup_names(self, study: Study) -> str:
        return "; ".join(map(_with_notes, study.matchups.all())) or "–"

    @admin.display(description="judged", ordering="slots_filled")
    def progress(self, study: Study) -> str:
        filled, planned = getattr(study, "slots_filled", 0), getattr(study, "slots_all", 0)
        return f"{filled} of {planned}" if planned else "–"

    @admin.display(description="rehearsal", boolean=True)
    def is_a_rehearsal(self, study: Study) -> bool:
        return study.is_rehearsal
