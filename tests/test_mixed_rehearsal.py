"""A rehearsal with all kinds of people through the real pages: places filled, cheaters found, the truth recovered."""

import math
import random
from dataclasses import fields, replace
from itertools import product

import pytest
from django.core.management import CommandError, call_command
from hypothesis import given
from hypothesis import strategies as st

from annotation.checks import Checks, item_for
from annotation.models import CheckResult
from annotation.rehearsal.books import Book, claims
from annotation.rehearsal.escapes import PASSED_BY_CHANCE, escape_chance, most_missed
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


def test_people_are_left_out_for_checks_pace_and_sameness_alone():
    usual = make_quality(modal_share=0.6, seconds=12)
    assert reasons(usual, checks_failed=0, minimum_seconds=5) == []
    assert reasons(None, checks_failed=0, minimum_seconds=5) == []
    assert reasons(usual, checks_failed=1, minimum_seconds=5) == ["failed a check"]
    assert reasons(make_quality(modal_share=0.6, seconds=1), checks_failed=0, minimum_seconds=5) == [
        "faster than anybody reads"
    ]
    assert reasons(make_quality(modal_share=0.95, seconds=12), checks_failed=0, minimum_seconds=5) == [
        "the same answer all the time"
    ]
    few = make_quality(modal_share=1.0, seconds=12, judgements=9)
    assert reasons(few, checks_failed=0, minimum_seconds=5) == []


def test_who_sees_most_pairs_alike_is_not_taken_for_one_sided():
    """Twice left and ten times about the same: all decided answers name one side, yet nothing is wrong with them."""
    honest = replace(make_quality(modal_share=10 / 12, seconds=12, judgements=12), left_share=1.0)
    assert reasons(honest, checks_failed=0, minimum_seconds=5) == []


def make_quality(*, modal_share, seconds, judgements=10):
    nothing = dict.fromkeys(field.name for field in fields(Quality))
    known = {"modal_share": modal_share, "median_seconds": seconds, "n_judgements": judgements}
    return Quality(**nothing | known)


@pytest.mark.parametrize("kind", [Kind.RANDOM, Kind.LEFT])
def test_half_of_the_guesses_pass_a_check(kind):
    """What the power of the checks rests on: of all checks, whatever the seed, half pass who takes no notice."""
    rng, passed, met = random.Random(8), 0, 0
    for seed in range(4000):
        item = next(item for n in (1, 2) if (item := item_for(Checks(every=2), seed=seed, number=n)))
        passed += item.passes(item.options[0] if kind == Kind.LEFT else rng.choice(item.options))
        met += 1
    assert met == 4000
    assert 0.45 < passed / met < 0.55
    assert escape_chance(kind, checks=4, judgements=9) == PASSED_BY_CHANCE**4 == 1 / 16


def test_some_cheaters_cannot_but_show():
    assert escape_chance(Kind.LEFT, checks=0, judgements=10) == 0
    assert escape_chance(Kind.CARELESS, checks=1, judgements=0) == 0
    assert escape_chance(Kind.CARELESS, checks=0, judgements=9) == 1
    assert escape_chance(Kind.HURRIED, checks=0, judgements=1) == 0
    assert escape_chance(Kind.HURRIED, checks=4, judgements=0) == 1


@pytest.mark.parametrize(
    ("chances", "chance", "most"),
    [
        ([], 0.001, 0),
        ([0.0] * 24, 0.001, 0),
        ([1 / 16] * 8, 0.001, 3),
        ([1 / 16] * 8, 0.0001, 4),
        ([1 / 16], 0.001, 1),
        ([1 / 1024], 0.001, 0),
        ([1.0, 1.0], 0.001, 2),
    ],
)
def test_so_many_are_missed_at_most(chances, chance, most):
    """Of eight with 1/16 each more than three escape in 0.09 % of rehearsals, more than four in 0.005 %."""
    assert most_missed(chances, chance) == most


@given(st.lists(st.floats(0, 1), max_size=7), st.floats(0.0005, 0.2))
def test_more_are_missed_with_the_chance_at_most(chances, chance):
    """Against every outcome, listed."""
    allowed, beyond = most_missed(chances, chance), 0.0
    for outcome in product((False, True), repeat=len(chances)):
        if sum(outcome) > allowed:
            beyond += math.prod(each if escaped else 1 - each for each, escaped in zip(chances, outcome, strict=True))
    assert beyond <= chance + 1e-9


def books_of(study):
    """One of each kind who did what that kind does, each with a code where one is due."""
    for number, kind in enumerate(Kind):
        how = EXITS.get(kind, Exit.COMPLETED)
        code = f"CODE{number}" if how not in {"", Exit.RETURNED} else ""
        annotator = build.make_annotator(study, exit=how, completion_code=code)
        flags = ("failed a check",) if kind in CHEATERS else ()
        escape = 1 / 16 if kind == Kind.RANDOM else 0.0
        yield Book(kind, True, judged=2, shown_code=code, annotator=annotator, flags=flags, escape=escape)


@pytest.fixture
def study():
    return build.make_running_study(dialogues=2, k=1)


def answer_check(study, book, *, is_passed):
    build.judge(study.slots.filter(is_open=True).first(), book.annotator, [Outcome.TIE] * 3)
    assignment = book.annotator.assignments.get()
    facts = {"kind": "instruction", "name": "choose-left", "answer": "left", "is_passed": is_passed}
    CheckResult.objects.create(assignment=assignment, annotator=book.annotator, **facts)


def failing(study, people, judged=(1, 1)):
    return [claim.sentence for claim in claims(study, people, judged, chance=0.001) if not claim.holds]


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
        "cheaters who cannot but show are all found: 0 of 3",
        "places of those who left were filled by others: 0 of 1",
        "parts ended as they should: 10 of 11",
        "codes were given where one is due, each its own: 9 of 9",
    ]


def test_more_guessers_than_the_checks_let_through_are_a_fault(study):
    people = list(books_of(study))
    answer_check(study, people[0], is_passed=True)
    guesser = next(book for book in people if book.kind == Kind.RANDOM)
    people.remove(guesser)
    unfound = replace(guesser, flags=())
    said = "of those who guess at checks, {} are found at least: {} of {}"
    assert said.format(0, 0, 1) not in failing(study, [*people, unfound])
    assert said.format(5, 5, 8) not in failing(study, [*people, *[guesser] * 5, *[unfound] * 3])
    assert said.format(5, 4, 8) in failing(study, [*people, *[guesser] * 4, *[unfound] * 4])


def test_command_rehearses_a_mixed_crowd(study, tmp_path):
    with pytest.raises(CommandError, match="let at least 20 come"):
        call_command("rehearse", study.name, annotators=5, mixed=True, out=tmp_path)
