"""The human-evaluation datasheet: what the records answer, what researchers answer, what is listed as open."""

import json

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse
from django.utils import timezone

from annotation.answers import AnswerRules
from annotation.datasheet.questions import QUESTIONS, SECTIONS, Fill, section_of
from annotation.datasheet.sheet import Origin, Said, numbers_of, open_numbers
from annotation.models import DatasheetAnswer
from annotation.services import datasheets, reports, studies
from annotation.services.datasheets import NoSuchQuestion, choice_words, entries, save_answers
from annotation.views.screens import make_options
from tests import build
from tests.console.judging import make_judged_study
from tests.exports.hostile import NASTY, make_hostile_study
from tests.exports.reading import content

pytestmark = pytest.mark.django_db
ONE_CHOICE = ["3.2.2", "3.2.3", "3.3.7", "3.3.8"]


@pytest.fixture
def study():
    return studies.close(make_judged_study(dialogues=8), actor=None, now=timezone.now())


def sheet(study):
    return entries(study, reports.make_report(study))


def page(study):
    return reverse("admin:annotation_study_datasheet", args=[study.pk])


def test_there_are_45_questions_each_once_and_in_a_section():
    numbers = [question.number for question in QUESTIONS]
    assert len(numbers) == len(set(numbers)) == 45
    assert {section_of(question) for question in QUESTIONS} == set(SECTIONS.values())


def test_the_records_answer_27_questions_and_four_more_take_one_choice_each(study):
    automatic = numbers_of(sheet(study), Origin.RECORDS)
    assert len(automatic) >= 27
    assert [question.number for question in QUESTIONS if question.fill == Fill.BOTH] == ONE_CHOICE
    said = {(number, ""): Said(choice=_usual(number)) for number in ONE_CHOICE}
    assert save_answers(study, said, actor=None) == 4
    answered = [entry.question.number for entry in sheet(study) if entry.origin == Origin.TOGETHER]
    assert answered == ONE_CHOICE


def _usual(number):
    return next(question for question in QUESTIONS if question.number == number).proposal()


def test_what_nobody_answered_is_listed_and_never_invented(study):
    still = open_numbers(sheet(study))
    assert len(still) == 45 - len(numbers_of(sheet(study), Origin.RECORDS))
    assert {"1.1", "3.2.2", "4.1.1", "5.1"} <= set(still)
    written = json.loads(content(study, "datasheet.json"))
    assert written["unanswered"] == still
    assert all(not row["answer"] for row in written["answers"] if row["origin"] == "unanswered")
    assert f"**Unanswered: {', '.join(still)}.**" in content(study, "datasheet.md").decode()


def test_when_everything_is_answered_nothing_is_open(study):
    said = {
        (question.number, key): Said(text="We say so.")
        for question in QUESTIONS
        if question.is_asked
        for key in (study.criteria.values_list("key", flat=True) if question.is_per_criterion else [""])
    }
    save_answers(study, said, actor=None)
    assert open_numbers(sheet(study)) == []
    assert "Every question is answered." in content(study, "datasheet.md").decode()


def test_questions_on_criteria_are_there_for_each_of_them(study):
    of_criteria = [entry for entry in sheet(study) if entry.criterion]
    assert len(of_criteria) == 3 * 17
    definition = next(entry for entry in of_criteria if entry.question.number == "4.3.2")
    assert definition.answer == study.criteria.first().definition


def test_answers_tell_what_the_study_found(study):
    found = {entry.question.number: entry.answer for entry in sheet(study) if not entry.criterion}
    assert "en 8" in found["2.4"]
    assert "8 consented" in found["3.2.1"]
    assert "8 are in the results" in found["3.2.1"]
    assert "SHA-256" not in found["3.3.4"]
    effect = next(entry.answer for entry in sheet(study) if entry.question.number == "4.3.10")
    assert "win score" in effect
    assert "corrected" in effect


def test_a_running_study_gives_away_no_p_value():
    study = make_judged_study(dialogues=8)
    effect = next(entry.answer for entry in sheet(study) if entry.question.number == "4.3.10")
    assert "corrected 0" not in effect


def test_without_judgements_less_is_known_and_nothing_breaks():
    for study in (build.make_study(), build.make_running_study()):
        found = {entry.question.number: entry for entry in entries(study, None)}
        assert "4.3.10" not in found or not found["4.3.10"].is_answered
        assert content(study, "datasheet.md")


def test_words_of_choices_are_those_of_the_rating_page():
    for scale in ("two", "three", "five", "seven"):
        for option in make_options(AnswerRules(scale, offers_both_bad=True)):
            shown = f"{option.side} {option.grade}".strip()
            assert choice_words(option.value, scale) == shown


def test_an_empty_answer_takes_an_earlier_one_away(study):
    save_answers(study, {("1.1", ""): Said(text="A paper.")}, actor=None)
    assert save_answers(study, {("1.1", ""): Said(text="A paper.")}, actor=None) == 0
    assert save_answers(study, {("1.1", ""): Said()}, actor=None) == 1
    assert not DatasheetAnswer.objects.exists()


@pytest.mark.parametrize(
    ("key", "said"),
    [
        (("9.9", ""), Said(text="x")),
        (("2.1", ""), Said(text="x")),
        (("4.1.1", ""), Said(text="x")),
        (("4.1.1", "beauty"), Said(text="x")),
        (("3.2.2", ""), Said(choice="robots")),
        (("1.1", ""), Said(text="x" * 5000)),
    ],
)
def test_answers_that_do_not_fit_are_refused_and_nothing_is_stored(study, key, said):
    with pytest.raises(NoSuchQuestion):
        save_answers(study, {("1.3", ""): Said(text="Me."), key: said}, actor=None)
    assert not DatasheetAnswer.objects.exists()


def test_the_admin_asks_and_stores(client, study):
    researcher = build.make_researcher()
    client.force_login(researcher)
    shown = client.get(page(study)).content.decode()
    assert shown.count("<fieldset") == sum(q.is_asked for q in QUESTIONS) + 2 * 5
    assert "selected>– not answered –" in shown.replace('selected="selected"', "selected")
    client.post(page(study), {"q-3_2_2-choice": "crowd", "q-1_1-text": NASTY, "q-4_1_1-naturalness-choice": "goodness"})
    stored = set(DatasheetAnswer.objects.values_list("number", "choice"))
    assert stored == {("3.2.2", "crowd"), ("1.1", ""), ("4.1.1", "goodness")}
    assert study.events.get(verb="datasheet").actor == researcher
    again = client.get(page(study)).content.decode()
    assert '<option value="crowd" selected' in again
    assert "<b>ж</b>" not in again


def test_a_choice_that_there_is_not_is_shown_as_a_problem(client, study):
    client.force_login(build.make_researcher())
    response = client.post(page(study), {"q-3_2_2-choice": "robots", "q-1_1-text": "kept"})
    assert response.status_code == 422
    assert "kept" in response.content.decode()
    assert not DatasheetAnswer.objects.exists()


def test_who_may_only_look_may_not_answer(client, study):
    member = build.make_stranger(is_staff=True)
    client.force_login(member)
    assert client.get(page(study)).status_code == 403
    member.user_permissions.add(Permission.objects.get(codename="view_study"))
    assert "Store the answers" not in client.get(page(study)).content.decode()
    assert client.post(page(study), {"q-1_1-text": "x"}).status_code == 403
    client.logout()
    assert client.get(page(study)).status_code == 302


def test_marks_in_answers_do_not_change_the_page(study):
    save_answers(study, {("1.1", ""): Said(text="# Title\n| a | <b>b</b>")}, actor=None)
    text = content(study, "datasheet.md").decode()
    assert "\\# Title \\| a \\| \\<b>b\\</b>" in text


def test_a_stand_in_and_exclusions_are_told():
    found = {entry.question.number: entry.answer for entry in sheet(make_hostile_study()) if not entry.criterion}
    assert "demo augmenter, not Thanos" in found["3.1.1"]
    assert "1 were excluded" in found["3.2.1"]
    assert datasheets.newest_bundle(make_judged_study(dialogues=2)) is None
