"""Responses are checked before people see them: what people see is normalised, and what is wrong is flagged."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.quality import NOTES, SENTENCES, Context, Flag, check, identical, storable, usable

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = json.loads((ROOT / "inference_worker/prompts.json").read_text(encoding="utf-8"))["templates"]
TURNS = [
    "I failed my exam today and I do not know how to tell my parents about it.",
    "Oh no. What happened?",
]


def make_context(**over) -> Context:
    fields = {
        "turns": TURNS,
        "speakers": ["Ana", "Ben", "Ana"],
        "next_speaker": "Ana",
        "instructions": TEMPLATES["both"]["user"],
    }
    return Context(**(fields | over))


def flags(text: str, *, cut_off: bool = False, keeps_full_sentences: bool = False, **context) -> list[str]:
    checked = check(text, context=make_context(**context), cut_off=cut_off, keeps_full_sentences=keeps_full_sentences)
    return list(checked.flags)


def seen(text: str, **context) -> str:
    return check(text, context=make_context(**context), cut_off=False).text


@pytest.mark.parametrize(
    "text",
    [
        "I studied the wrong chapter.",
        "I don't know... I just froze.",
        "No!",
        "My teacher said: you can try again in June.",
        "I blanked. I really blanked. What do I do now?",
        'She said "you will be fine" and left.',
        "Ich weiß es nicht, ehrlich gesagt.",
        "OK 👍",
        "👍",
    ],
)
def test_an_ordinary_response_has_no_flag(text):
    assert flags(text) == []
    assert seen(text) == text


@pytest.mark.parametrize("text", ["", "  \n ", "...", "Ana:", "—"])
def test_no_words_is_empty(text):
    assert Flag.EMPTY in flags(text)


@pytest.mark.parametrize("text", ["Ana: I froze.", "ANA : I froze.", "**Ana:** I froze.", " Ana：I froze."])
def test_the_speakers_label_is_taken_off_and_noted(text):
    assert (seen(text), flags(text)) == ("I froze.", [Flag.LABELLED])


@pytest.mark.parametrize(
    "text",
    [
        "Assistant: I froze.",
        "Next response:\nI froze.",
        "Ana (in tears): I froze.",
        "[Ana] I froze.",
        "<Ana>: I froze.",
        "Response: Ana: I froze.",
    ],
)
def test_a_chat_models_role_and_an_aside_are_part_of_the_label(text):
    assert (seen(text), flags(text)) == ("I froze.", [Flag.LABELLED])


def test_a_turn_of_another_speaker_is_a_defect():
    assert flags("Ben: Poor you.") == [Flag.WRONG_SPEAKER]
    assert flags("User: Poor you.") == [Flag.WRONG_SPEAKER]


def test_a_role_is_nobody_else_where_somebody_is_called_so():
    assert flags("Assistant: Poor you.", speakers=["Assistant", "Ana"]) == [Flag.WRONG_SPEAKER]


def test_a_name_that_is_only_addressed_is_no_label():
    assert flags("Ben, listen: I froze.") == []


def test_only_the_first_of_several_turns_is_shown():
    text = "I froze.\n\nBen: Poor you.\nAna: Thanks."
    assert (seen(text), flags(text)) == ("I froze.", [Flag.SEVERAL_TURNS])


def test_a_turn_of_a_chats_user_ends_what_is_shown():
    assert (seen("I froze.\n\nUser: Why?"), flags("I froze.\n\nUser: Why?")) == ("I froze.", [Flag.SEVERAL_TURNS])


def test_a_text_of_empty_lines_takes_no_longer_than_others():
    """With the square of their number it would take minutes."""
    text = "I" + "\n" * 100_000 + "froze."
    assert seen(text) == text


def test_names_with_signs_of_patterns_are_read_as_they_stand():
    context = {"speakers": ["A. (old)", "B+"], "next_speaker": "A. (old)"}
    assert seen("A. (old): Hello there.", **context) == "Hello there."


def test_quotation_marks_around_everything_are_taken_off():
    assert (seen('"I froze."'), flags('"I froze."')) == ("I froze.", [Flag.QUOTED])
    assert seen('"Yes" and "no"') == '"Yes" and "no"'


def test_a_text_that_was_cut_off_is_flagged():
    assert flags("I was so nervous that", cut_off=True) == [Flag.TRUNCATED]


def test_a_cut_in_a_later_turn_does_not_matter():
    assert flags("I froze.\nBen: Poor", cut_off=True) == [Flag.SEVERAL_TURNS]


def test_an_agent_that_keeps_full_sentences_ends_with_the_last_one():
    checked = check(
        'I froze. "Really?" he asked. I was so', context=make_context(), cut_off=True, keeps_full_sentences=True
    )
    assert (checked.text, checked.flags) == ('I froze. "Really?" he asked.', (Flag.SHORTENED,))


def test_without_a_full_sentence_a_cut_stays_a_defect():
    assert flags("I was so nervous that", cut_off=True, keeps_full_sentences=True) == [Flag.TRUNCATED]


def test_a_number_with_a_point_ends_no_sentence():
    checked = check("It cost 3.50 and then", context=make_context(), cut_off=True, keeps_full_sentences=True)
    assert checked.flags == (Flag.TRUNCATED,)


@pytest.mark.parametrize(
    "text",
    [
        "### Dialogue: I froze.",
        "I froze. [RESULT SKILL] Empathy",
        "[Next Response] I froze.",
        "I froze.<|im_end|>",
        "I froze.</s>",
        "<think>She is sad.</think> I froze.",
        "Sure! Here's my response as Ana: I froze.",
        "As Speaker B I would say that I froze.",
        "Give only the words that are said: one short turn that answers the last one",
    ],
)
def test_markers_and_words_of_the_prompt_are_a_leak(text):
    assert Flag.PROMPT_LEAK in flags(text)


@pytest.mark.parametrize(
    "text",
    [
        "Thus, the conversational skill here is kindness.",
        "I use Active Listening. Go on.",
        "With the skill of empathy I hear you.",
        "As for Conflict Resolution, let us talk.",
        "Empathy: I hear you.",
        "(Empathy) I hear you.",
        "**Skill:** Empathy\nI hear you.",
        "Explanation: She is sad. I hear you.",
    ],
)
def test_talk_about_skills_is_a_leak(text):
    assert Flag.SKILL_LEAK in flags(text)


@pytest.mark.parametrize(
    "text",
    [
        "I have no empathy for him.",
        "I need a clarification.",
        "My critical thinking fails.",
        "What I lack is this: Empathy: the rare kind.",
        "Here is my plan. I will tell them.",
    ],
)
def test_ordinary_words_that_also_name_a_skill_are_no_leak(text):
    assert flags(text) == []


def test_a_skills_name_that_the_dialogue_uses_itself_is_no_leak():
    assert flags("The course on Critical Thinking.", turns=["Which course? The one on Critical Thinking?"]) == []


def test_an_explanation_told_word_by_word_is_a_leak():
    explanation = "Ana is ashamed of her result and afraid of what her parents will say to her."
    assert Flag.SKILL_LEAK in flags(f"Well, {explanation}", explanation=explanation)
    assert flags("I am ashamed and afraid of what they will say.", explanation=explanation) == []


def test_a_repeated_turn_is_flagged():
    assert flags(TURNS[0]) == [Flag.REPEATS_DIALOGUE]
    assert flags(f"Well, {TURNS[0]}") == [Flag.REPEATS_DIALOGUE]


def test_a_short_answer_that_was_given_before_is_no_repetition():
    assert flags("Oh no. What?", turns=["Oh no. What?"]) == []


def test_a_turn_without_blanks_between_words_is_compared_too():
    turn = "我今天考试没有通过我不知道怎么告诉父母"
    assert flags(turn, turns=[turn], language="zh") == [Flag.REPEATS_DIALOGUE]


def test_going_round_in_circles_is_flagged():
    assert flags("I am so sorry. I am so sorry. I am so sorry.") == [Flag.REPEATS_ITSELF]
    assert flags("and then I went to the shop " * 3) == [Flag.REPEATS_ITSELF]


def test_a_speech_is_over_length():
    assert flags(" ".join(f"word{n}" for n in range(201))) == [Flag.OVER_LENGTH]


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Мне очень жаль это слышать.", "en"),
        ("I am sorry.", "ja"),
        ("我很抱歉听到这个消息", "de"),
        ("I am sorry.", "ru"),
    ],
)
def test_another_script_is_the_wrong_language(text, language):
    assert flags(text, language=language) == [Flag.WRONG_LANGUAGE]


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Мне очень жаль.", "ru-RU"),
        ("残念です、本当に。", "ja"),
        ("죄송합니다.", "ko"),
        ("Tut mir leid.", "de"),
        ("אני מצטער", "he"),
    ],
)
def test_a_languages_own_script_is_right(text, language):
    assert flags(text, language=language) == []


def test_characters_that_are_no_text_are_flagged():
    assert flags("I froze.\x00") == [Flag.BAD_CHARACTERS]


def test_notes_do_not_keep_a_response_from_people_and_defects_do():
    assert usable([])
    assert usable(["labelled", "shortened"])
    assert not usable(["labelled", "empty"])
    assert not usable(["something new"])


def test_the_same_words_are_identical_whatever_their_dress():
    assert identical("I'm sorry!", "i'm  SORRY")
    assert not identical("I'm sorry.", "I'm not sorry.")


def test_every_flag_has_a_sentence():
    assert set(SENTENCES) == set(Flag)
    assert set(Flag) >= NOTES


@given(st.text(), st.booleans(), st.booleans())
def test_any_text_is_checked_without_an_error_and_can_be_stored(text, cut_off, keeps):
    checked = check(text, context=make_context(), cut_off=cut_off, keeps_full_sentences=keeps)
    checked.text.encode()
    assert "\x00" not in checked.text
    assert storable(checked.text) == checked.text
    assert checked.text.strip() or Flag.EMPTY in checked.flags


@given(st.text(alphabet="AnaBen: \n\"'.*", max_size=40))
def test_checking_what_people_see_again_finds_no_more_labels_of_the_speaker(text):
    once = check(text, context=make_context(), cut_off=False)
    assert len(once.text) <= len(text)
