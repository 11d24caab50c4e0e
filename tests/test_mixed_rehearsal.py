"""A rehearsal with all kinds of people through the real pages: places filled, cheaters found, the truth recovered."""

from dataclasses import fields, replace

import pytest
from django.core.management import CommandError, call_command

from annotation.models import CheckResult
from annotation.rehearsal.books import Book, claims
from annotation.rehearsal.flags import reasons
from annotation.rehearsal.kinds import CHEATERS, EXITS, Kind, TooFewPeople, make_crowd
from annotation.rehearsal.mixed import rehearse_mixed
from annotation.results.quality import Quality
from annotation.states import Exit, Outcome
from tests import build
from tests.test_rehearsal import make_rehearsable_study

pytestmark = pytest.mark.django_db(transaction=True)


def rehearse(live_server, tmp_path, people, **over):
    study = make_rehearsable_study(**over)
    outcome = rehearse_mixed(study, annotators=people, address=live_server.url, folder=tmp_path)
    print(outcome)
    return outcome


def test_a_small_crowd_of_all_kinds_gives_back_what_the_rule_puts_in(live_server, tmp_path):
    outcome = rehearse(live_server, tmp_path, 20, dialogues=6)
    assert outcome.holds, str(outcome)


@pytest.mark.long
def test_two_hundred_people_of_all_kinds_give_back_what_the_rule_puts_in(live_server, tmp_path):
    outcome = rehearse(live_server, tmp_path, 200, dialogues=24)
    assert outcome.holds, str(outcome)
    assert {book.kind for book in outcome.people if book.has_acted} > {Kind.SLOW, Kind.VANISHES, Kind.RETURNS}


def test_too_few_people_for_all_kinds_are_refused():
    with pytest.raises(TooFewPeople, match="at least 20"):
        make_crowd(19, seed=1)


@pytest.mark.parametrize("people", [20, 37, 200])
def test_everybody_who_leaves_or_cheats_comes_before_the_last_ones(people):
    crowd = make_crowd(people, seed=2)
    assert len(crowd) == people
    assert set(crowd) == set(Kind)
    assert set(crowd[-people // 5 :]) == {Kind.HONEST}
    assert crowd == make_crowd(people, seed=2) != make_crowd(people, seed=3)


def test_people_are_left_out_for_checks_pace_and_one_sidedness_alone():
    usual = make_quality(left_share=0.6, seconds=12)
    assert reasons(usual, checks_failed=0, minimum_seconds=5) == []
    assert reasons(None, checks_failed=0, minimum_seconds=5) == []
    assert reasons(usual, checks_failed=1, minimum_seconds=5) == ["failed a check"]
    assert reasons(make_quality(left_share=0.6, seconds=1), checks_failed=0, minimum_seconds=5) == [
        "faster than anybody reads"
    ]
    assert reasons(make_quality(left_share=0.0, seconds=12), checks_failed=0, minimum_seconds=5) == [
        "the same side all the time"
    ]
    few = make_quality(left_share=1.0, seconds=12, judgements=9)
    assert reasons(few, checks_failed=0, minimum_seconds=5) == []


def make_quality(*, left_share, seconds, judgements=10):
    nothing = dict.fromkeys(field.name for field in fields(Quality))
    known = {"left_share": left_share, "median_seconds": seconds, "n_judgements": judgements}
    return Quality(**nothing | known)


def books_of(study):
    """One of each kind who did what that kind does, each with a code where one is due."""
    for number, kind in enumerate(Kind):
        how = EXITS.get(kind, Exit.COMPLETED)
        code = f"CODE{number}" if how not in {"", Exit.RETURNED} else ""
        annotator = build.make_annotator(study, exit=how, completion_code=code)
        flags = ("failed a check",) if kind in CHEATERS else ()
        yield Book(kind, has_acted=True, judged=2, shown_code=code, annotator=annotator, flags=flags)


@pytest.fixture
def study():
    return build.make_running_study(dialogues=2, k=1)


def answer_check(study, book, *, is_passed):
    build.judge(study.slots.filter(is_open=True).first(), book.annotator, [Outcome.TIE] * 3)
    assignment = book.annotator.assignments.get()
    facts = {"kind": "instruction", "name": "choose-left", "answer": "left", "is_passed": is_passed}
    CheckResult.objects.create(assignment=assignment, annotator=book.annotator, **facts)


def failing(study, people, judged=(1, 1)):
    return [claim.sentence for claim in claims(study, people, judged) if not claim.holds]


def test_all_claims_hold_where_all_is_right(study):
    people = list(books_of(study))
    answer_check(study, people[0], is_passed=True)
    assert failing(study, people) == []


def test_an_honest_person_who_fails_a_check_is_a_fault(study):
    people = list(books_of(study))
    answer_check(study, people[0], is_passed=False)
    assert failing(study, people) == ["no honest person fails a check: 1 of 1 (1 of them instructions)"]


def test_wrong_counts_lost_places_wrong_endings_and_unfound_cheaters_are_faults(study):
    people = list(books_of(study))
    answer_check(study, people[0], is_passed=True)
    vanished = next(book for book in people if book.kind == Kind.VANISHES)
    build.judge(study.slots.filter(is_open=True).first(), vanished.annotator, [Outcome.TIE] * 3, state="expired")
    people[0].annotator.exit = Exit.WITHDREW
    people[1] = replace(people[1], shown_code="ANOTHER")
    people = [replace(book, flags=()) for book in people]
    assert failing(study, people, judged=[1, 2]) == [
        "exactly 1 judgements of each comparison: 1 of 2",
        "half of the cheaters are found at least: 0 of 4, 0%",
        "places of those who left were filled by others: 0 of 1",
        "parts ended as they should: 10 of 11",
        "codes were given where one is due, each its own: 9 of 9",
    ]


def test_command_rehearses_a_mixed_crowd(study, tmp_path):
    with pytest.raises(CommandError, match="let at least 20 come"):
        call_command("rehearse", study.name, annotators=5, mixed=True, out=tmp_path)
