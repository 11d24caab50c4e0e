"""The page that asks researchers for what a study's datasheet cannot take from its records."""

from typing import Any, NamedTuple

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone

from annotation.datasheet.questions import Question, section_of
from annotation.datasheet.sheet import Entry, Key, Said, open_numbers
from annotation.models import Study
from annotation.services import datasheets, reports
from annotation.services.actors import actor_of
from annotation.services.members import may


class Asked(NamedTuple):
    """One question as the page asks it."""

    heading: str
    question: Question
    so_far: str
    choice: forms.BoundField | None
    text: forms.BoundField
    is_open: bool


class DatasheetForm(forms.Form):
    """Two fields a question: a choice where there are some, and words of one's own."""

    def __init__(self, entries: list[Entry], said: dict[Key, Said], *args: Any, is_fixed: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._entries = [entry for entry in entries if entry.question.is_asked]
        for entry in self._entries:
            before = said.get(_key(entry), Said())
            if entry.question.choices:
                self.fields[f"{_name(entry)}-choice"] = forms.ChoiceField(
                    label="Choose", choices=_options(entry), required=False, initial=before.choice, disabled=is_fixed
                )
            self.fields[f"{_name(entry)}-text"] = forms.CharField(
                label="In your own words" if entry.question.choices else "Answer",
                widget=forms.Textarea(attrs={"rows": 1 if entry.question.choices else 2}),
                max_length=datasheets.LONGEST,
                required=False,
                initial=before.text,
                disabled=is_fixed,
            )

    def asked(self) -> list[Asked]:
        """Return the questions in order, each with its fields."""
        return [self._asked(entry) for entry in self._entries]

    def answers(self) -> dict[Key, Said]:
        """Return what was filled in."""
        given = self.cleaned_data
        return {
            _key(entry): Said(given.get(f"{_name(entry)}-choice", ""), given[f"{_name(entry)}-text"])
            for entry in self._entries
        }

    def _asked(self, entry: Entry) -> Asked:
        section = section_of(entry.question)
        choice = self[f"{_name(entry)}-choice"] if entry.question.choices else None
        return Asked(
            heading=f"{entry.criterion.name}: {section.lower()}" if entry.criterion else section,
            question=entry.question,
            so_far=entry.so_far,
            choice=choice,
            text=self[f"{_name(entry)}-text"],
            is_open=not entry.is_answered,
        )


def datasheet(request: HttpRequest, pk: int, page: dict[str, Any]) -> HttpResponse:
    """Ask for the datasheet's open questions, and store the answers. `page`: what every page of the admin shows."""
    study = get_object_or_404(Study, pk=pk)
    if not may(request.user, "view", study) or (request.method == "POST" and not may(request.user, "change", study)):
        raise PermissionDenied
    report = reports.show(study, now=timezone.now()).content
    entries = datasheets.entries(study, report)
    is_fixed = not may(request.user, "change", study)
    form = DatasheetForm(entries, datasheets.answers_of(study), request.POST or None, is_fixed=is_fixed)
    if request.method == "POST" and form.is_valid():
        changed = datasheets.save_answers(study, form.answers(), actor=actor_of(request.user))
        messages.success(request, f"{changed} answers stored." if changed != 1 else "One answer stored.")
        return redirect(request.path)
    context = {
        **page,
        "title": f"Datasheet: {study}",
        "study": study,
        "form": form,
        "is_fixed": is_fixed,
        "asked": form.asked(),
        "still_open": open_numbers(entries),
        "bundle": datasheets.newest_bundle(study),
        "back": reverse("admin:annotation_study_change", args=[pk]),
    }
    return render(request, "admin/annotation/study/datasheet.html", context, status=422 if form.errors else 200)


def _key(entry: Entry) -> Key:
    return entry.question.number, entry.criterion.key if entry.criterion else ""


def _name(entry: Entry) -> str:
    return "-".join(["q", entry.question.number.replace(".", "_"), *([entry.criterion.key] if entry.criterion else [])])


def _options(entry: Entry) -> list[tuple[str, str]]:
    """The choices, the likely one first. None is chosen beforehand: nobody should confirm what they have not read."""
    proposed = entry.question.proposal(entry.criterion.key if entry.criterion else "")
    ordered = sorted(entry.question.choices.items(), key=lambda choice: choice[0] != proposed)
    return [("", "– not answered –"), *((key, f"{words}{' (usual)' * (key == proposed)}") for key, words in ordered)]
