"""Collections and their dialogues: how material comes in."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.db import transaction
from django.db.models import Count, QuerySet
from django.http import FileResponse, Http404, HttpRequest
from django.template.loader import render_to_string
from django.urls import URLPattern, path, reverse
from django.utils.functional import lazy
from django.utils.html import format_html
from django.utils.safestring import SafeString

from annotation.admin.base import ConsoleAdmin, ReadOnlyAdmin, as_text, clip
from annotation.dialogue_files import DialogueFileErrors, DialogueRecord, parse_dialogues
from annotation.models import Collection, Dialogue
from annotation.services.importing import ImportRefused, import_dialogues

if TYPE_CHECKING:
    CollectionModelForm = forms.ModelForm[Collection]
    from django.forms import ClearableFileInput as FileWidget
else:
    from unfold.widgets import UnfoldAdminFileFieldWidget as FileWidget

    CollectionModelForm = forms.ModelForm

EXAMPLES_FOLDER = Path(__file__).resolve().parents[2] / "docs" / "examples"
EXAMPLES = ("dialogues.jsonl", "dialogues.csv")


def _upload_help() -> SafeString:
    links = [reverse("admin:annotation_collection_example", args=[name]) for name in EXAMPLES]
    return format_html(
        "JSONL (one dialogue a line) or CSV. Every line is checked first: one bad line, and nothing is imported. "
        'Examples: <a href="{}">JSONL</a>, <a href="{}">CSV</a>. The fields are described in docs/importing.md.',
        *links,
    )


class CollectionForm(CollectionModelForm):
    """A collection, and a file of dialogues for it that is checked line by line before anything is stored."""

    upload = forms.FileField(
        label="file", required=False, widget=FileWidget, help_text=lazy(_upload_help, SafeString)()
    )

    class Meta:
        model = Collection
        fields = ("name", "description", "source", "licence")

    def clean_upload(self) -> list[DialogueRecord]:
        """Turn the file into dialogues, or into one error message for each bad line."""
        file = self.cleaned_data["upload"]
        if not file:
            return []
        try:
            records = parse_dialogues(file, filename=file.name)
            self._try_import(records)
        except DialogueFileErrors as problems:
            raise forms.ValidationError(problems.user_message.splitlines()) from problems
        except ImportRefused as problem:
            raise forms.ValidationError(problem.user_message) from problem
        return records

    def _try_import(self, records: list[DialogueRecord]) -> None:
        """Import and take it back: what is in the way is said beside the file, not after the form has gone."""
        if self.instance.pk:
            with transaction.atomic():
                import_dialogues(self.instance, records=records)
                transaction.set_rollback(True)


@admin.register(Collection)
class CollectionAdmin(ConsoleAdmin[Collection]):
    """A set of dialogues with one source and one licence."""

    form = CollectionForm
    list_display = ("name", "number_of_dialogues", "source", "licence", "created_at")
    search_fields = ("name", "description", "source")
    fieldsets = (
        (None, {"fields": ("name", "description")}),
        ("Where it comes from", {"fields": (("source", "licence"),)}),
        ("Import dialogues", {"fields": ("upload",)}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Collection]:
        return super().get_queryset(request).annotate(dialogues_count=Count("dialogues"))

    def get_urls(self) -> list[URLPattern]:
        example = self.admin_site.admin_view(self.example)
        return [path("example/<str:name>", example, name="annotation_collection_example"), *super().get_urls()]

    def example(self, request: HttpRequest, name: str) -> FileResponse:
        """Send an example of the file format."""
        file = EXAMPLES_FOLDER / name
        if name not in EXAMPLES or not file.is_file():
            raise Http404(f"There is no example {name}.")
        return FileResponse(file.open("rb"), as_attachment=True, filename=name)

    def save_model(self, request: HttpRequest, obj: Collection, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if records := form.cleaned_data.get("upload"):
            self.message_user(request, str(import_dialogues(obj, records=records)), messages.SUCCESS)

    @admin.display(description="dialogues", ordering="dialogues_count")
    def number_of_dialogues(self, collection: Collection) -> SafeString:
        dialogues = reverse("admin:annotation_dialogue_changelist") + f"?collection__id__exact={collection.pk}"
        return format_html('<a href="{}">{}</a>', dialogues, getattr(collection, "dialogues_count", 0))


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
