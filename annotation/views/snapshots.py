"""Pages as annotators saw them, as files that need nothing else: styles within, scripts taken out."""

import random
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from django.contrib.staticfiles import finders
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils import timezone, translation

from annotation.forms import ConsentForm
from annotation.models import Comparison, Study
from annotation.services.annotators import Held
from annotation.services.exports.bundle import Page
from annotation.services.faces import Face, read_face
from annotation.services.flows import read_steps
from annotation.services.sheets import Sheet, read_sheet
from annotation.states import ComparisonKind, Side
from annotation.views.exercises import draw_examples
from annotation.views.screens import Screen

# Of more comparisons than this a sample is shown, drawn with the study's seed.
MOST = 200
LANGUAGE = "en"
FONT = "fonts/inter.woff2"

_STYLE = re.compile(r'<link rel="stylesheet" href="[^"]*?([\w-]+)(?:\.[0-9a-f]{12})?\.css">')
_SCRIPT = re.compile(r"<script\b.*?</script>|<link rel=\"(?:icon|preload)\"[^>]*>", re.DOTALL)
_OF_THE_MOMENT = re.compile(r'<input type="hidden" name="csrfmiddlewaretoken"[^>]*>| data-lease="\d+"')


def snapshots(study: Study) -> Iterator[Page]:
    """Yield the pages of a launched study; nobody has seen one of a draft."""
    if not study.is_frozen:
        return
    with translation.override(LANGUAGE):
        face, sheet = read_face(study), read_sheet(study.pk)
        context = {"face": face, "form": ConsentForm(), "problem": "", "minutes": face.minutes(face.comparisons)}
        yield _page("consent.html", render_to_string("annotator/landing.html", context))
        has_tie = "0" in sheet.rules.values()
        shown = {"face": face, "has_tie": has_tie, "examples": draw_examples(read_steps(study).examples, sheet)}
        yield _page("instructions.html", render_to_string("annotator/instructions.html", shown))
        yield _page("guidelines.html", render_to_string("annotator/guidelines.html", {"face": face}))
        for comparison in Comparison.objects.filter(pk__in=_chosen(study)).order_by("pk"):
            yield _page(f"comparison-{comparison.code}.html", _rating(comparison, face, sheet))
    yield Page(FONT, _static(FONT))


def _chosen(study: Study) -> list[int]:
    """All comparisons that annotators may have met, or a sample of them."""
    judged = study.comparisons.filter(slots__isnull=False).distinct()
    shown = judged | study.comparisons.filter(kind=ComparisonKind.TRAINING).distinct()
    ids = sorted(shown.values_list("pk", flat=True))
    if len(ids) <= MOST:
        return ids
    rng = random.Random(f"pages {study.seed}")  # noqa: S311 - a draw that must repeat, not a secret
    return rng.sample(ids, MOST)


def _rating(comparison: Comparison, face: Face, sheet: Sheet) -> str:
    first = comparison.slots.order_by("ordinal").first()
    held = Held(
        assignment_id=0,
        code=comparison.code,
        comparison_id=comparison.pk,
        dialogue_id=comparison.dialogue_id,
        treatment_side=Side(first.treatment_side) if first else Side.LEFT,
        number=1,
        lease_until=timezone.now() + timedelta(hours=1),
        draft={},
    )
    screen = Screen(
        face=face,
        held=held,
        questions=list(sheet.questions),
        rules=sheet.rules,
        answers={},
        problems={},
        note="",
        is_change=False,
        can_change=False,
        is_shown=True,
    )
    return screen.render(HttpRequest(), is_part=False)


def _page(name: str, html: str) -> Page:
    """Put the styles into the page and take out what belongs to one visit alone."""
    bare = _OF_THE_MOMENT.sub("", _SCRIPT.sub("", html))
    whole = _STYLE.sub(lambda link: f"<style>{_static(f'{link[1]}.css').decode()}</style>", bare)
    return Page(name, whole.encode())


def _static(name: str) -> bytes:
    found = finders.find(name)
    assert isinstance(found, str), f"{name} is not among the static files"
    return Path(found).read_bytes()
