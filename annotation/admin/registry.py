"""Models, prompts, augmenters and agents: what exists, who serves it, and what waits."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from annotation.admin.base import ConsoleAdmin, ReadOnlyAdmin, clip
from annotation.admin.response_import import ResponseImportAdmin
from annotation.models import Agent, Augmenter, GenerationUnit, LanguageModel, PromptSet, Response, Source, Worker
from annotation.prompt_files import PromptFileError
from annotation.prompt_templates import check_templates
from annotation.services.generation.leases import SILENCE
from annotation.services.generation.recipes import digest, guidance_of
from annotation.services.generation.wording import duration
from annotation.services.generation.workers import models_of

SAMPLING_ROWS = (("temperature", "top_p"), ("max_new_tokens", "seed"))
SAMPLING_FIELDS = ("temperature", "top_p", "max_new_tokens", "seed")


def has_worker(model: str) -> Exists:
    """Whether a worker that serves the model named by this path spoke lately."""
    fresh = timezone.now() - SILENCE
    return Exists(Worker.objects.filter(model=OuterRef(model), is_stopping=False, seen_at__gte=fresh))


def _has_work(ordered: Q, written: Q) -> bool:
    """Whether a text was ordered with these settings or is there: both name the settings that made them."""
    return GenerationUnit.objects.filter(ordered).exists() or Response.objects.filter(written).exists()


@admin.register(LanguageModel)
class LanguageModelAdmin(ConsoleAdmin[LanguageModel]):
    """A model as workers serve it."""

    list_display = ("name", "backend", "source", "served_by", "licence")
    list_filter = ("backend",)
    search_fields = ("name", "slug", "source")
    prepopulated_fields = {"slug": ("name",)}
    save_as = True
    fieldsets = (
        (None, {"fields": (("name", "slug"), "note")}),
        ("Weights and engine", {"fields": (("backend", "source"), ("revision", "licence"), "options")}),
        ("Batches", {"fields": (("batch_items", "batch_tokens"),)}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[LanguageModel]:
        return super().get_queryset(request).prefetch_related("workers")

    @admin.display(description="served by")
    def served_by(self, model: LanguageModel) -> str:
        fresh = timezone.now() - SILENCE
        names = [worker.name for worker in model.workers.all() if not worker.is_stopping and worker.seen_at >= fresh]
        return ", ".join(names) or f"no worker: start one for the queue model.{model.slug}"

    def get_readonly_fields(self, request: HttpRequest, obj: LanguageModel | None = None) -> tuple[str, ...]:
        used = obj is not None and GenerationUnit.objects.filter(model=obj).exists()
        return ("slug", "backend", "source", "revision", "options") if used else ()

    def get_prepopulated_fields(self, request: HttpRequest, obj: LanguageModel | None = None) -> dict[str, Any]:
        return {} if obj else {"slug": ("name",)}


if TYPE_CHECKING:
    PromptSetFormBase = forms.ModelForm[PromptSet]
else:
    PromptSetFormBase = forms.ModelForm


class PromptSetForm(PromptSetFormBase):
    """Templates that a model can be asked with."""

    class Meta:
        model = PromptSet
        fields = "__all__"

    def clean_templates(self) -> Any:
        """Refuse what could not be filled, or would be filled with what is not meant for the one who is asked."""
        templates = self.cleaned_data["templates"]
        try:
            check_templates(templates)
        except PromptFileError as problem:
            raise ValidationError(problem.user_message) from problem
        return templates


@admin.register(PromptSet)
class PromptSetAdmin(ConsoleAdmin[PromptSet]):
    """Made once and never changed: what was sent to a model can be read here for ever."""

    form = PromptSetForm
    list_display = ("name", "source", "is_published", "fingerprint", "created_at")
    list_filter = ("is_published",)
    search_fields = ("name", "source", "sha256")
    readonly_fields = ("sha256", "created_at", "wording")

    def get_fieldsets(self, request: HttpRequest, obj: PromptSet | None = None) -> Any:
        if obj is None:
            return ((None, {"fields": (("name", "source"), "is_published", "templates")}),)
        return (
            (None, {"fields": (("name", "source"), ("is_published", "created_at"), "sha256")}),
            ("Wording", {"fields": ("wording",)}),
        )

    def has_change_permission(self, request: HttpRequest, obj: PromptSet | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: PromptSet, form: Any, change: bool) -> None:
        obj.sha256 = digest(obj.templates)
        super().save_model(request, obj, form, change)

    @admin.display(description="fingerprint", ordering="sha256")
    def fingerprint(self, prompts: PromptSet) -> str:
        return prompts.sha256[:12]

    @admin.display(description="wording by role")
    def wording(self, prompts: PromptSet) -> SafeString:
        rows = [
            (role, part, text)
            for role, parts in prompts.templates.items()
            for part, text in (parts.items() if isinstance(parts, dict) else [("text", parts)])
        ]
        return format_html_join("", '<h4>{}: {}</h4><pre class="console-text">{}</pre>', rows)


@admin.register(Augmenter)
class AugmenterAdmin(ConsoleAdmin[Augmenter]):
    """What guides a responder."""

    list_display = ("name", "source", "passes_on", "model", "waiting", "notes")
    list_filter = ("source", "guidance")
    list_select_related = ("model",)
    search_fields = ("name", "note")
    autocomplete_fields = ("model",)
    save_as = True
    fieldsets = (
        (None, {"fields": ("name", "note", "notes")}),
        ("Who thinks, and what is passed on", {"fields": (("source", "guidance"), ("model", "prompt_set"))}),
        ("Details", {"fields": (("fixed_skill", "uses_grammar"),)}),
        ("Sampling", {"fields": SAMPLING_ROWS}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Augmenter]:
        return super().get_queryset(request).annotate(thinker_served=has_worker("model"))

    @admin.display(description="guidance", ordering="guidance")
    def passes_on(self, augmenter: Augmenter) -> str:
        return guidance_of(augmenter).label

    @admin.display(description="ready")
    def waiting(self, augmenter: Augmenter) -> str:
        if augmenter.source == Source.OWN:
            return "ready with its responder"
        if augmenter.source == Source.FIXED and not augmenter.fixed_skill:
            return "lacks its skill"
        if augmenter.source in (Source.RANDOM, Source.FIXED):
            return "ready"
        if augmenter.model is None:
            return "lacks a model"
        return "ready" if getattr(augmenter, "thinker_served", False) else f"waits for a worker for {augmenter.model}"

    def get_readonly_fields(self, request: HttpRequest, obj: Augmenter | None = None) -> tuple[str, ...]:
        used = obj is not None and _has_work(Q(augmenter=obj) | Q(agent__augmenter=obj), Q(agent__augmenter=obj))
        settings = ("source", "guidance", "model", "prompt_set", "fixed_skill", "uses_grammar", *SAMPLING_FIELDS)
        return ("notes", *(settings * used))


@admin.register(Agent)
class AgentAdmin(ResponseImportAdmin):
    """A responder with or without an augmenter."""

    list_display = ("name", "responder", "augmenter", "waiting", "notes")
    list_filter = ("responder", "augmenter")
    list_select_related = ("responder", "augmenter__model")
    search_fields = ("name", "note", "responder__name", "augmenter__name")
    autocomplete_fields = ("responder", "augmenter")
    save_as = True
    readonly_fields = ("waiting", "notes")
    fieldsets = (
        (None, {"fields": ("name", "note", "waiting", "notes")}),
        ("Who answers", {"fields": (("responder", "prompt_set"), "keeps_full_sentences")}),
        ("Who guides", {"fields": ("augmenter",), "description": "Empty: the responder answers alone."}),
        ("Sampling", {"fields": SAMPLING_ROWS}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Agent]:
        agents = super().get_queryset(request)
        return agents.annotate(responder_served=has_worker("responder"), thinker_served=has_worker("augmenter__model"))

    @admin.display(description="served by, or waits for")
    def waiting(self, agent: Agent) -> SafeString | str:
        marks = ("responder_served" if model == agent.responder else "thinker_served" for model in models_of(agent))
        missing = [
            model for model, mark in zip(models_of(agent), marks, strict=True) if not getattr(agent, mark, False)
        ]
        if not missing:
            return "ready"
        queues = format_html_join(", ", "{} (queue <code>model.{}</code>)", {(m.name, m.slug) for m in missing})
        return format_html("waits for a worker for {}", queues)

    def get_readonly_fields(self, request: HttpRequest, obj: Agent | None = None) -> tuple[str, ...]:
        used = obj is not None and _has_work(Q(agent=obj), Q(agent=obj))
        settings = ("responder", "prompt_set", "augmenter", "keeps_full_sentences", *SAMPLING_FIELDS)
        return ("waiting", "notes", *(settings * used))


@admin.register(Worker)
class WorkerAdmin(ReadOnlyAdmin[Worker]):
    """Each worker's last word about itself."""

    list_display = (
        "name",
        "of_model",
        "is_up",
        "serves",
        "engine",
        "engine_version",
        "device",
        "memory",
        "speed",
        "heard",
    )
    list_filter = ("engine", "model")
    # Those that speak now come first; those that have gone are kept for what they wrote.
    ordering = ("-seen_at",)
    list_select_related = ("model",)
    search_fields = ("name", "slug", "device", "model__name")

    @admin.display(description="model", ordering="model__name")
    def of_model(self, worker: Worker) -> str:
        if worker.model is not None:
            return str(worker.model)
        return f"no registered model has the slug “{worker.slug}”: nothing is sent to it"

    @admin.display(description="last heard", ordering="seen_at")
    def heard(self, worker: Worker) -> str:
        return f"{duration(max(0, (timezone.now() - worker.seen_at).total_seconds()))} ago"

    @admin.display(description="up", boolean=True)
    def is_up(self, worker: Worker) -> bool:
        return not worker.is_stopping and worker.seen_at >= timezone.now() - SILENCE

    @admin.display(description="revision", ordering="revision")
    def serves(self, worker: Worker) -> str:
        return clip(worker.revision, 24) or "–"

    @admin.display(description="memory", ordering="memory_bytes")
    def memory(self, worker: Worker) -> str:
        return f"{worker.memory_bytes / 1e6:,.0f} MB"

    @admin.display(description="tokens a second", ordering="tokens_per_second")
    def speed(self, worker: Worker) -> str:
        return f"{worker.tokens_per_second:.0f}"
