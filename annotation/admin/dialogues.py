"""Collections and their dialogues."""

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from annotation.admin.base import ConsoleAdmin, ReadOnlyAdmin, as_text, clip
from annotation.models import Collection, Dialogue


@admin.register(Collection)
class CollectionAdmin(ConsoleAdmin[Collection]):
    """A set of dialogues with one source and one licence."""

    list_display = ("name", "number_of_dialogues", "source", "licence", "created_at")
    search_fields = ("name", "description", "source")
    fieldsets = (
        (None, {"fields": ("name", "description")}),
        ("Where it comes from", {"fields": ("source", "licence")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Collection]:
        return super().get_queryset(request).annotate(dialogues_count=Count("dialogues"))

    @admin.display(description="dialogues", ordering="dialogues_count")
    def number_of_dialogues(self, collection: Collection) -> int:
        return int(getattr(collection, "dialogues_count", 0))


@admin.register(Dialogue)
class DialogueAdmin(ReadOnlyAdmin[Dialogue]):
    """Read only: a corrected dialogue comes in a new import, so that old judgements keep the text they were about."""

    list_display = ("external_id", "collection", "kind", "language", "number_of_turns", "last_words")
    list_filter = ("collection", "kind", "language")
    list_select_related = ("collection",)
    search_fields = ("external_id", "social_context", "turns", "kind")
    search_help_text = "Finds words in the id, the social context, the turns and the kind."
    readonly_fields = ("transcript", "context", "reference_text")
    fieldsets = (
        (None, {"fields": (("collection", "external_id"), ("kind", "language"), "tags", "content_warning")}),
        ("What annotators read", {"fields": ("context", "transcript", "next_speaker")}),
        ("Reference, never shown to annotators", {"fields": ("reference_text", "reference_skills")}),
    )

    @admin.display(description="turns")
    def number_of_turns(self, dialogue: Dialogue) -> int:
        return len(dialogue.turns)

    @admin.display(description="last turn")
    def last_words(self, dialogue: Dialogue) -> str:
        return clip(dialogue.turns[-1]["text"]) if dialogue.turns else "–"

    @admin.display(description="dialogue")
    def transcript(self, dialogue: Dialogue) -> SafeString:
        return render_to_string("admin/annotation/transcript.html", {"turns": dialogue.turns})

    @admin.display(description="social context")
    def context(self, dialogue: Dialogue) -> SafeString:
        return as_text(dialogue.social_context)

    @admin.display(description="reference response")
    def reference_text(self, dialogue: Dialogue) -> SafeString:
        return as_text(dialogue.reference)
