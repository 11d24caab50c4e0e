"""Pages about the people in a study: their figures, their judgements, and the ledger of what is left out."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from annotation.errors import DuologueError
from annotation.models import Annotator, Study
from annotation.reporting.people import COLUMNS, cells_of, people_table
from annotation.services import exclusions, people
from annotation.services.actors import actor_of
from annotation.services.exports.csv_files import csv_lines
from annotation.services.exports.files import download_name
from annotation.services.reasons import LONGEST
from annotation.views.access import note_download, researcher_view
from annotation.views.results import page_context

JUDGEMENTS_A_PAGE = 50
EVENTS_A_PAGE = 100
# Who agrees least with the others is what people look for first.
FIRST_ORDER = "agreement"


@require_safe
@never_cache
@researcher_view()
def table(request: HttpRequest, study: Study) -> HttpResponse:
    """Show what is known of each annotator's work."""
    standing = people.standing(study, now=timezone.now())
    found = people_table(standing.figures, request.GET.get("sort", FIRST_ORDER))
    context = page_context(request, study, current="annotators") | {
        "standing": standing,
        "table": found,
        "rows": [(row, standing.annotators.get(row.annotator)) for row in found.rows],
        "excluded": standing.excluded,
    }
    return render(request, "console/people.html", context)


@require_safe
@never_cache
@researcher_view()
def table_csv(request: HttpRequest, study: Study) -> StreamingHttpResponse:
    """Send the same figures as numbers, with who is left out and why."""
    standing = people.standing(study, now=timezone.now())
    note_download(request, study, "annotators.csv")
    rows = people_table(standing.figures, "annotator").rows
    header = ["annotator", *(column.key for column in COLUMNS), "excluded_reason"]
    lines = (
        [row.annotator, *("" if n is None else n for n in row.numbers.values()), _reason(standing, row.annotator)]
        for row in rows
    )
    response = StreamingHttpResponse(csv_lines(header, lines), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{download_name(study, "annotators.csv")}"'
    response["Cache-Control"] = "private, no-store"
    return response


def _reason(standing: people.Standing, pseudonym: str) -> str:
    annotator = standing.annotators.get(pseudonym)
    return annotator.excluded_reason if annotator else ""


@require_safe
@never_cache
@researcher_view()
def person(request: HttpRequest, study: Study, pk: int) -> HttpResponse:
    """Show one annotator's judgements, beside what the others said."""
    return render(request, "console/person.html", _person_context(request, study, pk))


def _person_context(request: HttpRequest, study: Study, pk: int) -> dict[str, Any]:
    annotator = get_object_or_404(study.annotators, pk=pk)
    standing = people.standing(study, now=timezone.now())
    figures = next((row for row in standing.figures if row["annotator"] == annotator.pseudonym), None)
    sheet = Paginator(people.judged_by(annotator), JUDGEMENTS_A_PAGE).get_page(request.GET.get("page"))
    return page_context(request, study, current="annotators") | {
        "annotator": annotator,
        "cells": cells_of(figures) if figures else [],
        "standing": standing,
        "sheet": sheet,
        "judged": people.with_answers(list(sheet)),
        "events": [each for each in people.ledger(study) if each.detail.get("annotator") == annotator.pseudonym],
        "longest": LONGEST,
    }


@require_POST
@researcher_view("change")
def exclude(request: HttpRequest, study: Study, pk: int) -> HttpResponse:
    """Take a person's judgements out of the results, with a reason."""
    annotator = get_object_or_404(study.annotators, pk=pk)
    return _decided(request, study, annotator, is_out=True)


@require_POST
@researcher_view("change")
def include(request: HttpRequest, study: Study, pk: int) -> HttpResponse:
    """Take a person in again, with a reason."""
    annotator = get_object_or_404(study.annotators, pk=pk)
    return _decided(request, study, annotator, is_out=False)


def _decided(request: HttpRequest, study: Study, annotator: Annotator, *, is_out: bool) -> HttpResponse:
    """Write the decision into the ledger and show the person again; what is wrong is said beside the field."""
    reason, actor = request.POST.get("reason", ""), actor_of(request.user)
    try:
        if is_out:
            exclusions.exclude_annotator(annotator, reason, actor=actor, now=timezone.now())
        else:
            exclusions.include_annotator(annotator, reason, actor=actor)
    except DuologueError as problem:
        said = {"problem": problem.user_message, "reason": reason}
        return render(request, "console/person.html", _person_context(request, study, annotator.pk) | said, status=400)
    verb = "no longer enter" if is_out else "enter"
    again = "" if is_out else " again"
    messages.success(request, f"Judgements of {annotator} {verb} the results{again}. The ledger has your reason.")
    return redirect("annotator-judgements", study.code, annotator.pk)


@require_safe
@never_cache
@researcher_view()
def ledger(request: HttpRequest, study: Study) -> HttpResponse:
    """Show who and what was left out or taken in again, when, by whom and why."""
    sheet = Paginator(people.ledger(study), EVENTS_A_PAGE).get_page(request.GET.get("page"))
    dialogues = people.dialogues_of(study, list(sheet))
    rows = [(each, dialogues.get(str(each.detail.get("comparison"))), people.flags_in(each)) for each in sheet]
    context = page_context(request, study, current="ledger") | {
        "sheet": sheet,
        "rows": rows,
        "excluded": study.annotators.exclude(excluded_at=None).order_by("excluded_at"),
    }
    return render(request, "console/ledger.html", context)
