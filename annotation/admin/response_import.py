"""A page on which finished responses of any system become an agent."""

from http import HTTPMethod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path, reverse
from django.utils.functional import lazy
from django.utils.html import format_html
from django.utils.safestring import SafeString

from annotation.admin.base import ConsoleAdmin
from annotation.errors import DuologueError
from annotation.models import Agent, Collection
from annotation.services.responses import ResponsesImported, import_responses

if TYPE_CHECKING:
    from django.forms import ClearableFileInput as FileWidget
    from django.forms import Select
    from django.forms import TextInput as TextWidget
else:
    from unfold.widgets import UnfoldAdminFileFieldWidget as FileWidget
    from unfold.widgets import UnfoldAdminSelectWidget as Select
    from unfold.widgets import UnfoldAdminTextInputWidget as TextWidget

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "examples"
EXAMPLES = ("responses.jsonl", "responses.csv")


def _file_help() -> SafeString:
    links = [reverse("admin:annotation_agent_response_example", args=[name]) for name in EXAMPLES]
    return format_html(
        "JSONL (one response a line) or CSV, with dialogue_id and response. Every line is checked first: one bad line, "
        'and nothing is imported. Examples: <a href="{}">JSONL</a>, <a href="{}">CSV</a>. '
        "The fields are described in docs/importing.md.",
        *links,
    )


class ResponseForm(forms.Form):
    """A file of responses and whose they are."""

    agent = forms.CharField(
        max_length=200,
        widget=TextWidget(),
        help_text="A new name makes an agent; the name of an imported one adds to it.",
    )
    upload = forms.FileField(label="file", widget=FileWidget(), help_text=lazy(_file_help, SafeString)())
    collection = forms.ModelChoiceField(
        Collection.objects.all(),
        required=False,
        widget=Select(),
        help_text="Where dialogues are looked up that the file names no collection for.",
    )
    note = forms.CharField(
        max_length=300, required=False, widget=TextWidget(), help_text="What must be said wherever its results appear."
    )
    update = forms.BooleanField(required=False, label="replace responses that have changed (the old ones stay)")
    dry_run = forms.BooleanField(required=False, label="only check, store nothing")

    def import_file(self) -> ResponsesImported | None:
        """Import, or put every problem beside the field that it is about."""
        given = self.cleaned_data
        collection = given["collection"]
        try:
            return import_responses(
                given["agent"],
                file=given["upload"],
                filename=given["upload"].name,
                collection=collection.name if collection else "",
                note=given["note"],
                update=given["update"],
                dry_run=given["dry_run"],
            )
        except DuologueError as problem:
            self.add_error("upload", forms.ValidationError(problem.user_message.splitlines()))
            return None


class ResponseImportAdmin(ConsoleAdmin[Agent]):
    """The list of agents with a page to import responses."""

    list_before_template = "admin/annotation/agent_import_link.html"

    def get_urls(self) -> list[URLPattern]:
        view, example = (self.admin_site.admin_view(each) for each in (self.import_page, self.response_example))
        return [
            path("import/", view, name="annotation_agent_import"),
            path("import/example/<str:name>", example, name="annotation_agent_response_example"),
            *super().get_urls(),
        ]

    def import_page(self, request: HttpRequest) -> HttpResponse:
        """Ask for a file on GET, import it on POST."""
        if not self.has_add_permission(request):
            raise PermissionDenied("Your account may not add agents. Ask the person who manages accounts.")
        is_sent = request.method == HTTPMethod.POST
        form = ResponseForm(request.POST, request.FILES) if is_sent else ResponseForm()
        if is_sent and form.is_valid() and (done := form.import_file()):
            messages.success(request, str(done))
            if not done.is_dry_run:
                return redirect(_responses_of(done.agent))
        context: dict[str, Any] = {
            **self.admin_site.each_context(request),
            "title": "Import responses",
            "opts": self.opts,
            "form": form,
            "back": reverse("admin:annotation_agent_changelist"),
        }
        return render(request, "admin/annotation/import_responses.html", context)

    def response_example(self, request: HttpRequest, name: str) -> FileResponse:
        """Send an example of the file format."""
        file = FOLDER / name
        if name not in EXAMPLES or not file.is_file():
            raise Http404(f"There is no example {name}.")
        return FileResponse(file.open("rb"), as_attachment=True, filename=name)


def _responses_of(agent: Agent) -> str:
    return f"{reverse('admin:annotation_response_changelist')}?agent__id__exact={agent.pk}"
