"""The bundled collection keeps what its README promises."""

from collections import Counter

import pytest

from annotation.dialogue_files import parse_dialogues
from annotation.services.importing import BUNDLED_FILE

KINDS = {
    "small-talk",
    "empathy",
    "prosocial",
    "counselling",
    "task-oriented",
    "persona-memory",
    "cultural-difference",
}


@pytest.fixture(scope="module")
def dialogues():
    with BUNDLED_FILE.open("rb") as file:
        return parse_dialogues(file, filename=BUNDLED_FILE.name)


def test_there_are_eight_of_each_kind(dialogues):
    assert Counter(dialogue.kind for dialogue in dialogues) == dict.fromkeys(KINDS, 8)


def test_each_has_five_to_nine_turns_and_ends_before_an_answer(dialogues):
    for dialogue in dialogues:
        assert 5 <= len(dialogue.turns) <= 9, dialogue.id
        assert dialogue.next_speaker != dialogue.turns[-1].speaker, dialogue.id
        assert dialogue.next_speaker in {turn.speaker for turn in dialogue.turns}, dialogue.id


def test_each_has_context_reference_language_and_tags(dialogues):
    for dialogue in dialogues:
        assert dialogue.social_context.count(".") >= 2, dialogue.id
        assert 20 <= len(dialogue.reference.split()) <= 100, dialogue.id
        assert dialogue.language == "en"
        assert dialogue.tags, dialogue.id


def test_no_text_and_no_person_comes_twice(dialogues):
    texts = Counter(turn.text for dialogue in dialogues for turn in dialogue.turns)
    texts.update(dialogue.reference for dialogue in dialogues)
    people = Counter(name for dialogue in dialogues for name in {turn.speaker for turn in dialogue.turns})
    assert [text for text, count in (texts + people).items() if count > 1] == []


def test_the_speakers_are_introduced_in_the_context(dialogues):
    for dialogue in dialogues:
        unnamed = [turn.speaker for turn in dialogue.turns if turn.speaker not in dialogue.social_context]
        assert unnamed == [], dialogue.id


@pytest.mark.parametrize("word", ["suicide", "death", "alcohol", "poison", "discrimination", "private pictures"])
def test_heavy_subjects_carry_a_warning(dialogues, word):
    assert any(word in dialogue.content_warning for dialogue in dialogues)
