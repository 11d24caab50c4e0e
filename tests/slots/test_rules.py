"""The pure rules: how slots are laid out, in which order people look, and what an answer means."""

import itertools
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.allocation import RING, alternating, criteria_order, plan_slots, preferred_side, ring_position
from annotation.answers import BOTH_BAD, Answer, AnswerRules, Problem, Verdict, as_answer, as_verdicts, find_problems
from annotation.pairing import draw_evenly
from annotation.states import Outcome, Side

SCALES = ["two", "three", "five", "seven"]
rules_of_any_study = st.builds(
    AnswerRules,
    scale=st.sampled_from(SCALES),
    offers_both_bad=st.booleans(),
    reason_from_strength=st.none() | st.integers(0, 3),
)


@given(sizes=st.lists(st.integers(1, 30), min_size=1, max_size=4), k=st.integers(1, 7), seed=st.integers(0, 2**31))
def test_sides_are_balanced_in_every_comparison_layer_matchup_and_study(sizes, k, seed):
    ids = iter(range(1000))
    matchups = [[next(ids) for _ in range(size)] for size in sizes]
    slots = plan_slots(matchups, k=k, seed=seed)

    def surplus(chosen):
        sides = Counter(slot.treatment_side for slot in chosen)
        return abs(sides[Side.LEFT] - sides[Side.RIGHT])

    assert len(slots) == sum(sizes) * k
    for comparison in {slot.comparison for slot in slots}:
        assert surplus(s for s in slots if s.comparison == comparison) == k % 2
    for ordinal in range(k):
        assert surplus(s for s in slots if s.ordinal == ordinal) <= 1
    for comparisons in matchups:
        assert surplus(s for s in slots if s.comparison in comparisons) <= 1
    assert surplus(slots) <= 1


def test_the_same_seed_plans_the_same_slots_and_another_seed_others():
    comparisons = [list(range(20))]
    assert plan_slots(comparisons, k=3, seed=5) == plan_slots([comparisons[0][::-1]], k=3, seed=5)
    assert plan_slots(comparisons, k=3, seed=5) != plan_slots(comparisons, k=3, seed=6)


def test_slots_of_one_comparison_take_turns():
    assert alternating(Side.LEFT, 3) == [Side.LEFT, Side.RIGHT, Side.LEFT]


@given(seed=st.integers(0, 2**31), number=st.integers(1, 10**6))
def test_a_place_lies_on_the_ring_and_repeats(seed, number):
    assert 0 <= ring_position(seed, number) < RING
    assert ring_position(seed, number) == ring_position(seed, number)


def test_places_of_neighbouring_seeds_and_numbers_spread_over_the_ring():
    tenths = Counter(ring_position(seed, number) * 10 // RING for seed in range(100) for number in range(1, 101))
    assert len(tenths) == 10
    # 10,000 places in ten parts: 1,000 each, give or take five standard deviations of 30.
    assert max(abs(count - 1000) for count in tenths.values()) < 150


@given(balance=st.integers(-5, 5), seed=st.integers(0, 2**31), number=st.integers(1, 1000))
def test_the_preferred_side_never_widens_an_imbalance(balance, seed, number):
    side = preferred_side(balance, seed=seed, number=number)
    assert abs(balance + (1 if side == Side.LEFT else -1)) <= max(abs(balance), 1)


def test_an_even_balance_is_broken_by_the_seed_either_way():
    sides = Counter(preferred_side(0, seed=seed, number=1) for seed in range(1000))
    assert min(sides[Side.LEFT], sides[Side.RIGHT]) > 420


@given(kinds=st.dictionaries(st.text(max_size=3), st.sets(st.integers(0, 10**6), max_size=30), max_size=5))
def test_dialogues_are_drawn_evenly_over_kinds(kinds):
    ids = {kind: [n * 10 + place for n in chosen] for place, (kind, chosen) in enumerate(sorted(kinds.items()))}
    total = sum(map(len, ids.values()))
    drawn = draw_evenly(ids, total // 2, seed=3)
    assert len(drawn) == total // 2 == len(set(drawn))
    share = {kind: len(set(drawn) & set(chosen)) for kind, chosen in ids.items()}
    fullest = max(share.values(), default=0)
    assert all(share[kind] >= min(len(ids[kind]), fullest - 1) for kind in ids)


def test_without_a_limit_all_dialogues_are_taken():
    assert draw_evenly({"a": [3, 1], "b": [2]}, None, seed=1) == [1, 2, 3]


@pytest.mark.parametrize(
    ("scale", "values"),
    [
        ("two", ["-1", "1"]),
        ("three", ["-1", "0", "1"]),
        ("five", ["-2", "-1", "0", "1", "2"]),
        ("seven", ["-3", "-2", "-1", "0", "1", "2", "3"]),
    ],
)
def test_each_scale_offers_its_answers_and_both_bad_on_request(scale, values):
    assert AnswerRules(scale).values() == values
    assert AnswerRules(scale, offers_both_bad=True).values() == [*values, BOTH_BAD]


@pytest.mark.parametrize(
    ("scale", "value", "side", "verdict"),
    [
        ("three", "-1", Side.LEFT, Verdict(7, Outcome.TREATMENT, None, "")),
        ("three", "-1", Side.RIGHT, Verdict(7, Outcome.BASELINE, None, "")),
        ("three", "0", Side.RIGHT, Verdict(7, Outcome.TIE, None, "")),
        ("five", "2", Side.RIGHT, Verdict(7, Outcome.TREATMENT, 2, "")),
        ("seven", "3", Side.LEFT, Verdict(7, Outcome.BASELINE, -3, "")),
        ("three", BOTH_BAD, Side.LEFT, Verdict(7, Outcome.BOTH_BAD, None, "")),
    ],
)
def test_answers_are_stored_in_the_agents_frame(scale, value, side, verdict):
    assert as_verdicts({7: Answer(value)}, side, AnswerRules(scale, offers_both_bad=True)) == [verdict]


@given(rules=rules_of_any_study, side=st.sampled_from(Side), data=st.data())
def test_a_stored_answer_comes_back_to_the_page_as_it_was_given(rules, side, data):
    given_answer = Answer(data.draw(st.sampled_from(rules.values())), "why" if rules.asks_reason else "")
    (verdict,) = as_verdicts({1: given_answer}, side, rules)
    assert as_answer(verdict, side) == given_answer


@given(value=st.text(max_size=8), rules=rules_of_any_study)
def test_only_offered_values_are_taken(value, rules):
    problem = find_problems({1: Answer(value, "because")}, [1], rules).get(1)
    assert (problem is None) == (value in rules.values())


def test_every_criterion_needs_an_answer():
    rules = AnswerRules("three")
    assert find_problems({1: Answer("0"), 2: Answer("")}, [1, 2, 3], rules) == {
        2: Problem.MISSING,
        3: Problem.MISSING,
    }


def test_a_strong_answer_needs_a_reason_where_the_study_says_so():
    rules = AnswerRules("five", reason_from_strength=2)
    assert find_problems({1: Answer("-2", "  ")}, [1], rules) == {1: Problem.REASON_NEEDED}
    assert find_problems({1: Answer("-2", "Too long."), 2: Answer("1")}, [1, 2], rules) == {}
    assert find_problems({1: Answer("2")}, [1], AnswerRules("five", reason_from_strength=0)) == {}
    assert find_problems({1: Answer("0", "x" * 2001)}, [1], rules) == {1: Problem.REASON_TOO_LONG}


def test_a_reason_that_was_not_asked_for_is_not_kept():
    (verdict,) = as_verdicts({1: Answer("1", "my address is …")}, Side.LEFT, AnswerRules("three"))
    assert verdict.reason == ""


def test_shuffled_criteria_have_one_order_per_annotator():
    keys = ["engagingness", "naturalness", "prosociality"]
    assert criteria_order(keys, seed=4) == criteria_order(keys, seed=4)
    assert {tuple(criteria_order(keys, seed=seed)) for seed in range(60)} == set(itertools.permutations(keys))
