"""The rating page that is drawn once and filled in says the same as the one that is drawn anew."""

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import RequestFactory
from django.utils import timezone, translation

from annotation.models import Study
from annotation.services.annotators import Held
from annotation.services.faces import read_face
from annotation.services.sheets import read_sheet
from annotation.states import Side
from annotation.views.screens import Screen
from tests.build import make_running_study

pytestmark = pytest.mark.django_db


def make_screen(study: Study, *, number: int, can_change: bool) -> Screen:
    sheet = read_sheet(study.pk)
    comparison = study.comparisons.get()
    return Screen(
        face=read_face(study),
        held=Held(
            assignment_id=1,
            code=uuid4(),
            comparison_id=comparison.pk,
            dialogue_id=comparison.dialogue_id,
            treatment_side=Side.LEFT,
            number=number,
            lease_until=timezone.now() + timedelta(minutes=20, seconds=0.5),
            draft={},
        ),
        questions=list(sheet.questions),
        rules=sheet.rules,
        answers={},
        problems={},
        note="",
        is_change=False,
        can_change=can_change,
        is_shown=False,
    )


def without_token(page: str) -> str:
    """Blank the CSRF token, which is another one each time it is drawn."""
    return re.sub(r'(name="csrfmiddlewaretoken" value=)"\w{64}"', r"\1", page)


@pytest.mark.parametrize("language", ["en", "de", "ar"])
@pytest.mark.parametrize(("number", "can_change"), [(1, False), (7, True), (1234, True)])
def test_a_filled_page_equals_a_drawn_one(language, number, can_change):
    study = make_running_study(dialogues=1, quota_per_annotator=1000, offers_both_bad=True)
    screen = make_screen(study, number=number, can_change=can_change)
    request = RequestFactory().get("/")
    with translation.override(language):
        filled = without_token(screen.render(request, is_part=True))
        drawn = without_token(screen._draw(request, language, is_part=True))
    assert filled == drawn
    assert len(filled) > 2000
    assert "\ue000" not in filled
