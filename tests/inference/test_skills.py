"""How the output of a skill-of-mind model is read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference_worker.schema import CATEGORY_OF, SKILL_CATEGORIES, SKILLS
from inference_worker.skills import (
    Outcome,
    nearest_skill,
    parse_rationale,
    parse_skill_of_mind,
)


def test_there_are_39_skills_in_five_categories_each_once():
    assert len(SKILLS) == len(set(SKILLS)) == 39
    assert len(SKILL_CATEGORIES) == 5
    assert sorted(SKILLS) == sorted(CATEGORY_OF)
    assert CATEGORY_OF["Memory Recall"] == "Memory & Knowledge Management"


def test_a_well_formed_text_is_read():
    thought = parse_skill_of_mind("She is tired, so I listen. [RESULT SKILL] Active Listening")
    assert (thought.outcome, thought.explanation, thought.skill) == (
        "ok",
        "She is tired, so I listen.",
        "Active Listening",
    )


@pytest.mark.parametrize("written", ["empathy", "Empathy.", " (Empathy) ", "**Empathy**"])
def test_a_skill_is_known_in_spite_of_case_and_punctuation(written):
    assert parse_skill_of_mind(f"I feel it. [RESULT SKILL] {written}").skill == "Empathy"


def test_the_label_of_the_explanation_is_no_part_of_it():
    assert parse_skill_of_mind("### Explanation: I care. [RESULT SKILL] Empathy").explanation == "I care."


@pytest.mark.parametrize(
    ("text", "finish_reason", "outcome"),
    [
        ("I would listen.", "stop", Outcome.NO_MARKER),
        ("I would li", "length", Outcome.TRUNCATED),
        ("I care. [RESULT SKILL] Empa", "length", Outcome.TRUNCATED),
        ("I care. [RESULT SKILL] Empathy", "length", Outcome.OK),
        ("I care. [RESULT SKILL]", "stop", Outcome.EMPTY_PART),
        ("[RESULT SKILL] Empathy", "stop", Outcome.EMPTY_PART),
        ("I care. [RESULT SKILL] Juggling", "stop", Outcome.UNKNOWN_SKILL),
        ("I care. [RESULT SKILL] Empathy [RESULT SKILL] Ethics", "stop", Outcome.SEVERAL_MARKERS),
        ("", "stop", Outcome.NO_MARKER),
    ],
)
def test_each_way_to_fail_is_an_outcome_of_its_own(text, finish_reason, outcome):
    assert parse_skill_of_mind(text, finish_reason=finish_reason).outcome == outcome


def test_an_unknown_skill_stays_as_written_beside_the_nearest_known_one():
    thought = parse_skill_of_mind("I ask. [RESULT SKILL] Clarifications")
    assert (thought.skill, thought.nearest_skill) == ("Clarifications", "Clarification")


def test_the_first_known_skill_inside_a_longer_answer_is_the_nearest():
    assert nearest_skill("Active Listening and some Empathy") == "Active Listening"
    assert nearest_skill("Quilting") == ""


def test_a_rationale_needs_no_skill():
    assert parse_rationale("He hints at money.").outcome == Outcome.OK
    assert parse_rationale("  ").outcome == Outcome.EMPTY_PART
    assert parse_rationale("He hints at", finish_reason="length").outcome == Outcome.TRUNCATED


@given(st.text(), st.sampled_from(["stop", "length"]))
def test_any_text_gets_an_outcome(text, finish_reason):
    thought = parse_skill_of_mind(text, finish_reason=finish_reason)
    assert thought.outcome in set(Outcome)
    assert (thought.outcome == Outcome.OK) <= (thought.skill in SKILLS and bool(thought.explanation))


@given(st.sampled_from(SKILLS), st.text(st.characters(categories=["L"]), min_size=1))
def test_every_known_skill_is_read_back(skill, explanation):
    assert parse_skill_of_mind(f"{explanation} [RESULT SKILL] {skill}").skill == skill
