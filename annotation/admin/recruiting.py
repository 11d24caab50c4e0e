"""How people come to a study: the platform, the address to paste there, the codes of the exits, and what is missing."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.urls import reverse

from annotation.admin.asking import AskingAdmin, RowAction
from annotation.admin.base import ConsoleAdmin, ConsoleInline, ReadOnlyAdmin
from annotation.admin.membership import OfStudy
from annotation.models import ExitCode, PlatformBatch, PlatformMessage, Recruitment, Study
from annotation.platforms import PLATFORMS
from annotation.platforms.protocol import BATCH_PARAMETER
from annotation.roles import Action
from annotation.services import places, recruiting, subscribing
from annotation.services.actors import Actor, actor_of
from annotation.services.members import may, studies_of

_NAMES = ("id_parameter", "submission_parameter", "study_parameter")

# What each platform needs, on its page; what it does not need is not shown.
_FIELDS: dict[str, tuple[tuple[str, ...], ...]] = {
    "open": (),
    "invitation": (),
    "prolific": (
        ("platform_study_id",),
        ("requires_signed_entry", "audience"),
        ("token_parameter", *_NAMES),
    ),
    "sona": (("sona_host", "sona_experiment"), ("credit_token",), ("id_parameter",)),
    "connect": (("completion_address", "partial_address"), ("platform_study_id",), _NAMES),
    "mturk": (("id_parameter", "submission_parameter"),),
}


if TYPE_CHECKING:
    RecruitmentFormBase = forms.ModelForm[Recruitment]
else:
    RecruitmentFormBase = forms.ModelForm


class RecruitmentForm(RecruitmentFormBase):
    """The settings, with a field for the token that is written and never shown."""

    credit_token = forms.CharField(
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text="From SONA's page of the study. Kept sealed and never shown again; leave it empty to keep it.",
    )

    class Meta:
        model = Recruitment
        fields = "__all__"


class ExitCodeInline(ConsoleInline[ExitCode, Recruitment]):
    """The code of each exit: as the platform made it, or at random."""

    model = ExitCode
    verbose_name_plural = "Codes of the exits"
    fields = ("exit", "code")
    max_num = 10

    def has_delete_permission(self, request: HttpRequest, obj: Recruitment | None = None) -> bool:
        """A code goes with the right to change the study, whose page this is part of."""
        return obj is not None and may(request.user, Action.CHANGE, obj.study)


class PlatformBatchInline(ConsoleInline[PlatformBatch, Recruitment]):
    """Places for each study, task or timeslot at the platform; free to change while people take part."""

    model = PlatformBatch
    verbose_name_plural = "Platform batches: places of their own for each study, task or timeslot at the platform"
    fields = ("name", "key", "places", "places_taken", "link")
    readonly_fields = ("places_taken", "link")

    @admin.display(description="append, unless the platform sends it")
    def link(self, batch: PlatformBatch) -> str:
        """What to append to the address above, where the platform sends no such id of its own."""
        return f"{BATCH_PARAMETER}={batch.key}" if batch.key else "–"

    def _may(self, request: HttpRequest, recruitment: Recruitment | None) -> bool:
        return recruitment is not None and may(request.user, Action.CHANGE, recruitment.study)

    def has_view_permission(self, request: HttpRequest, obj: Recruitment | None = None) -> bool:
        """Whoever opened the page may read how many places there are."""
        return True

    def has_add_permission(self, request: HttpRequest, obj: Recruitment | None = None) -> bool:
        return self._may(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Recruitment | None = None) -> bool:
        return self._may(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Recruitment | None = None) -> bool:
        return self._may(request, obj)


def _make_codes(recruitment: Recruitment, actor: Actor, reason: str) -> str:
    made = recruiting.make_codes(recruitment, actor=actor)
    return f"{len(made)} codes made. Enter them at the platform, each for its outcome."


def _subscribe(recruitment: Recruitment, actor: Actor, reason: str) -> str:
    return subscribing.subscribe(recruitment, reason, actor=actor)


ACTIONS = (
    RowAction[Recruitment](
        "make-codes",
        "Make codes for all exits",
        "password",
        "Gives every exit that has no code yet a random one. Codes that you entered stay.",
        _make_codes,
        lambda recruitment: not PLATFORMS[recruitment.platform].has_personal_codes,
    ),
    RowAction[Recruitment](
        "subscribe",
        "Subscribe to events of Prolific",
        "notifications",
        "Asks Prolific to tell this site when a submission is returned or times out, so that its place and its "
        "comparison are free at once. Once for each workspace; it needs PROLIFIC_TOKEN and PROLIFIC_WEBHOOK_SECRETS. "
        "Enter two words with a space between: the workspace's id, and the https address of this site.",
        _subscribe,
        lambda recruitment: recruitment.platform == "prolific",
        asks_reason=True,
    ),
)


@admin.register(Recruitment)
class RecruitmentAdmin(OfStudy[Recruitment], AskingAdmin[Recruitment], ConsoleAdmin[Recruitment]):
    """Which platform a study uses and what it needs. Free to change after the launch: no answer hangs on it."""

    form = RecruitmentForm
    row_actions = ACTIONS
    change_form_outer_before_template = "admin/annotation/recruitment.html"
    list_display = ("study", "platform", "ids_kept_days")
    list_filter = ("platform",)
    list_select_related = ("study",)
    search_fields = ("study__name",)
    filter_horizontal = ("not_if_took_part_in",)
    inlines = (PlatformBatchInline, ExitCodeInline)

    def get_fieldsets(self, request: HttpRequest, obj: Recruitment | None = None) -> Any:
        if obj is None:
            return [(None, {"fields": ("study", "platform")})]
        platform = PLATFORMS[obj.platform]
        who = {"fields": ("not_if_took_part_in", "ids_kept_days")}
        sets = [(None, {"fields": (("study", "platform"),)}), ("Who may take part, and for how long ids are kept", who)]
        needed = _FIELDS[obj.platform]
        return [sets[0], (platform.name, {"fields": needed}), sets[1]] if needed else sets

    def get_inline_instances(self, request: HttpRequest, obj: Recruitment | None = None) -> list[Any]:
        if obj is None:
            return []
        is_coded = not PLATFORMS[obj.platform].has_personal_codes
        inlines = super().get_inline_instances(request, obj)
        return [each for each in inlines if is_coded or not isinstance(each, ExitCodeInline)]

    def get_readonly_fields(self, request: HttpRequest, obj: Recruitment | None = None) -> tuple[str, ...]:
        return ("study",) if obj else ()

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "study":
            mine = studies_of(request.user, Action.CHANGE).filter(recruitment=None, rehearsal_of=None)
            kwargs["queryset"] = mine.order_by("-created_at")
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Offer the person's own studies alone: the names of others are not theirs to read."""
        if db_field.name == "not_if_took_part_in":
            kwargs["queryset"] = studies_of(request.user).filter(rehearsal_of=None).order_by("name")
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: Recruitment, form: Any, change: bool) -> None:
        if not may(request.user, Action.CHANGE, obj.study):
            raise PermissionDenied("Your role in this study does not allow this.")
        token = form.cleaned_data.get("credit_token", "")
        recruiting.save_recruitment(obj, token=token, changed=form.changed_data, actor=actor_of(request.user))

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Fill in the codes that were left empty once they are stored, and keep what the page did not offer."""
        offered = studies_of(request.user).values("pk")
        unseen = list(form.instance.not_if_took_part_in.exclude(pk__in=offered))
        super().save_related(request, form, formsets, change)
        form.instance.not_if_took_part_in.add(*unseen)
        recruiting.fill_codes(form.instance)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """Store of a batch what was changed alone: people may be taking places while the page is open."""
        if formset.model is not PlatformBatch:
            super().save_formset(request, form, formset, change)
            exits = [each.instance.exit for each in formset.forms if each.has_changed()]
            return recruiting.note_codes(form.instance, exits, actor=actor_of(request.user))
        formset.save(commit=False)
        for gone in formset.deleted_objects:
            places.remove_batch(gone, actor=actor_of(request.user))
        for batch in formset.new_objects:
            places.save_batch(batch, actor=actor_of(request.user))
        for batch, fields in formset.changed_objects:
            places.save_batch(batch, fields=fields, actor=actor_of(request.user))

    def delete_model(self, request: HttpRequest, obj: Recruitment) -> None:
        recruiting.remove_recruitment(obj, actor=actor_of(request.user))

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        if recruitment := context.get("original"):
            context |= _panel(request, recruitment.study)
        return super().render_change_form(request, context, *args, **kwargs)


def _panel(request: HttpRequest, study: Study) -> dict[str, Any]:
    """Return what stands above the form: the address to paste, and what is missing."""
    return {
        "study": study,
        "platform_name": recruiting.platform_of(study).name,
        "entry_address": entry_address(request, study),
        "has_invitations": recruiting.platform_of(study).key == "invitation",
        "platform_problems": recruiting.problems(study),
    }


def entry_address(request: HttpRequest, study: Study) -> str:
    """Return the address that brings people to a study, as it is pasted into the platform."""
    return request.build_absolute_uri(reverse("annotator:landing", args=[study.code])) + recruiting.entry_query(study)


@admin.register(PlatformMessage)
class PlatformMessageAdmin(OfStudy[PlatformMessage], ReadOnlyAdmin[PlatformMessage]):
    """What platforms had to be told, and whether they took it."""

    study_path = "identity__annotator__study"
    list_display = ("annotator", "deed", "created_at", "attempts", "sent_at", "failed_at", "problem")
    list_filter = ("deed", ("failed_at", admin.EmptyFieldListFilter), "identity__annotator__study")
    list_select_related = ("identity__annotator__study",)
    search_fields = ("identity__annotator__pseudonym", "problem")
    ordering = ("-created_at",)
    fields = ("annotator", "deed", "body", "created_at", "attempts", "next_at", "sent_at", "failed_at", "problem")

    @admin.display(ordering="identity__annotator__pseudonym")
    def annotator(self, message: PlatformMessage) -> str:
        return message.identity.annotator.pseudonym
