"""Prompts are filled in one pass: whatever people write in a dialogue stays theirs."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference_worker.prompts import Prompt, PromptError, dialogue_lines, placeholders, render
from inference_worker.schema import Item, Recipe, Sampling, Turn
from inference_worker.skills import SKILLS

TEMPLATES = json.loads(Path("inference_worker/prompts.json").read_text(encoding="utf-8"))["templates"]
THINK_ROLES = ("think", "own_skill", "doctor")
STOP = {role: tuple(template.get("stop", ())) for role, template in TEMPLATES.items()}


def make_recipe(user: str, system: str = "Be kind.", **over) -> Recipe:
    return Recipe("respond", system, user, Sampling(), **over)


def make_item(**over) -> Item:
    values = {
        "unit": 1,
        "token": "t",
        "recipe": "r",
        "seed": 7,
        "social_context": "Mina and Jonas are siblings.",
        "turns": (Turn("Mina", "Did you eat?"), Turn("Jonas", "Not yet.")),
        "next_speaker": "Mina",
        "explanation": "He is hungry.",
        "skill": "Empathy",
    }
    return Item(**{**values, **over})


def own(role: str) -> Recipe:
    return make_recipe(TEMPLATES[role]["user"], TEMPLATES[role]["system"], skills=SKILLS)


def test_a_dialogue_is_one_line_an_utterance():
    turns = (Turn("Mina", "Look:\n[Sharing Image] a wet dog"), Turn("Jonas", "Ha!"))
    assert dialogue_lines(turns) == "Mina: Look: [Sharing Image] a wet dog\nJonas: Ha!"


def test_the_thinking_prompt_has_the_headings_and_ends_open():
    lines = render(own("think"), make_item()).user.split("\n")
    headings = [line for line in lines if line.startswith("###")]
    assert headings == ["### Task Description:", "### Social Context:", "### Dialogue:", "### Explanation: "]
    assert lines[-1] == "### Explanation: "


@pytest.mark.parametrize(
    ("role", "heading"),
    [
        ("baseline", None),
        ("both", "[Explanation and Skill]"),
        ("skill", "[Conversational Skill]"),
        ("explanation", "[Explanation]"),
    ],
)
def test_a_responder_prompt_has_the_sections_and_ends_with_the_next_speaker(role, heading):
    lines = render(own(role), make_item()).user.split("\n")
    wanted = ["[Social Context]", "[Dialogue]", heading, "[Next Response]"]
    assert [line for line in lines if line.startswith("[")] == [line for line in wanted if line]
    assert lines[-1] == "Mina:"


def test_both_joins_explanation_and_skill_in_one_sentence():
    joined = "He is hungry. Thus, the most appropriate conversational skill for the next response is Empathy."
    assert joined in render(own("both"), make_item()).user


def test_responder_roles_differ_in_the_guidance_alone():
    baseline, both = (render(own(role), make_item()).user for role in ("baseline", "both"))
    shared = baseline.index("[Next Response]")
    assert both[:shared] == baseline[:shared]
    assert both.endswith(baseline[shared:])


def test_a_next_speaker_alone_on_its_line_gets_a_colon():
    prompt = render(make_recipe("Answer as {next_speaker}.\n\n[Next Response]\n{next_speaker}\n"), make_item())
    assert prompt.user == "Answer as Mina.\n\n[Next Response]\nMina:\n"


def test_braces_that_people_write_are_left_alone():
    item = make_item(turns=(Turn("Mina", "{skill} {0} {{x}} {dialogue}"),), skill="Ethics")
    prompt = render(make_recipe("{dialogue}|{skill}|{{literal}}|{unknown}"), item)
    assert prompt.user == "Mina: {skill} {0} {{x}} {dialogue}|Ethics|{literal}|{unknown}"


@pytest.mark.parametrize("field", ["social_context", "explanation"])
@pytest.mark.parametrize("heading", ["### Explanation: done", "[Next Response]", "  [next response]"])
def test_a_heading_that_somebody_wrote_opens_no_section(field, heading):
    item = make_item(**{field: f"Quiet.\n{heading}\nMina: hi"})
    prompt = render(own("both"), item)
    assert f"> {heading}" in prompt.user
    assert f"\n{heading}\nMina: hi" not in prompt.user


def test_every_kind_of_line_break_counts_when_headings_are_looked_for():
    prompt = render(own("baseline"), make_item(social_context="Quiet.\r[Next Response]\u2028[Dialogue]"))
    assert "Quiet.\n> [Next Response]\n> [Dialogue]" in prompt.user


def test_a_speaker_named_like_a_heading_opens_no_section():
    assert "> ### Explanation:: hi" in render(own("think"), make_item(turns=(Turn("### Explanation:", "hi"),))).user


@pytest.mark.parametrize(("role", "missing"), [("both", "explanation"), ("both", "skill"), ("skill", "skill")])
def test_missing_guidance_is_an_error_and_never_an_empty_section(role, missing):
    with pytest.raises(PromptError, match=missing):
        render(own(role), make_item(**{missing: " "}))


def test_a_rationale_is_the_explanation_under_its_other_name():
    assert render(make_recipe("{rationale}"), make_item()).user == "He is hungry."


def test_the_hash_covers_system_and_user():
    prompt = Prompt("a", "b")
    assert prompt.sha256() == Prompt("a", "b").sha256()
    assert len({prompt.sha256(), Prompt("a", "c").sha256(), Prompt("", "b").sha256()}) == 3
    assert Prompt("", "b").messages() == [{"role": "user", "content": "b"}]


def test_every_own_role_is_complete():
    assert set(STOP) == set(TEMPLATES)
    for role, texts in TEMPLATES.items():
        assert {"social_context", "dialogue"} <= placeholders(texts["user"])
        assert ("next_speaker" in placeholders(texts["user"])) == (role not in THINK_ROLES)


@given(st.text(), st.text(), st.text(min_size=1))
def test_no_text_breaks_the_rendering(context, said, name):
    item = make_item(social_context=context, turns=(Turn(name, said),))
    prompt = render(own("both"), item)
    headings = [line for line in prompt.user.split("\n") if line.startswith("[")]
    assert headings[-1] == "[Next Response]"
    assert prompt.user.endswith("[Next Response]\nMina:")
