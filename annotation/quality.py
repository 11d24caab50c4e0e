"""Checks of responses before people see them. Pure: texts in, a normalised text and flags out.

A flag is a defect, which keeps a comparison from annotators until a researcher decides, or a note, which records how
the normalised text differs from what the model wrote. Nothing here judges whether a response is good.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from annotation.languages import other_language
from inference_worker.schema import SKILLS


class Flag(StrEnum):
    EMPTY = "empty"
    TRUNCATED = "truncated"
    PROMPT_LEAK = "prompt_leak"
    SKILL_LEAK = "skill_leak"
    WRONG_SPEAKER = "wrong_speaker"
    REPEATS_DIALOGUE = "repeats_dialogue"
    REPEATS_ITSELF = "repeats_itself"
    OVER_LENGTH = "over_length"
    WRONG_LANGUAGE = "wrong_language"
    BAD_CHARACTERS = "bad_characters"
    SAME_AS_OTHER = "same_as_other"
    LABELLED = "labelled"
    QUOTED = "quoted"
    SEVERAL_TURNS = "several_turns"
    SHORTENED = "shortened"


NOTES = frozenset({Flag.LABELLED, Flag.QUOTED, Flag.SEVERAL_TURNS, Flag.SHORTENED})

SENTENCES = {
    Flag.EMPTY: "There is no text.",
    Flag.TRUNCATED: "The token limit cut the text off.",
    Flag.PROMPT_LEAK: "Words or markers of the prompt stand in the text.",
    Flag.SKILL_LEAK: "The text talks about conversational skills or explains itself, so it gives the augmenter away.",
    Flag.WRONG_SPEAKER: "The text is written as another speaker's turn.",
    Flag.REPEATS_DIALOGUE: "The text repeats a turn of the dialogue.",
    Flag.REPEATS_ITSELF: "The text goes round in circles.",
    Flag.OVER_LENGTH: "The text is much longer than a turn of a dialogue.",
    Flag.WRONG_LANGUAGE: "The text is written in another language than the dialogue, by its script or its small words.",
    Flag.BAD_CHARACTERS: "The text holds characters that are no text.",
    Flag.SAME_AS_OTHER: "Both sides of the comparison say the same.",
    Flag.LABELLED: "The speaker's name in front was taken off.",
    Flag.QUOTED: "Quotation marks around the whole text were taken off.",
    Flag.SEVERAL_TURNS: "The model went on with further turns; only the first is shown.",
    Flag.SHORTENED: "Cut off by the token limit and shown up to its last full sentence.",
}

MAX_WORDS = 200
# So many words in a row do not meet those of the instructions by chance.
LEAKED_WORDS = 7
# An explanation is about the dialogue, so more of its words may come up again.
LEAKED_THOUGHT = 10
MARKERS = (
    "###",
    "[result skill]",
    "[social context]",
    "[dialogue]",
    "[next response]",
    "[explanation",
    "[conversational skill]",
    "<|",
    "[inst]",
    "[/inst]",
    "<start_of_turn>",
    "<end_of_turn>",
    "<think>",
    "</think>",
    "<s>",
    "</s>",
)
# What chat models say about their task instead of doing it.
TASK_TALK = re.compile(
    r"\bhere(?:['’]s| is) (?:the|an?|my|one|your)\b[^.\n:]{0,40}\b(?:response|reply)\b[^.\n:]{0,40}:"
    r"|\bnext response\b|\bas speaker [a-z0-9]\b",
    re.IGNORECASE,
)
_ANY_SKILL = "|".join(map(re.escape, SKILLS))
SKILL_TALK = re.compile(
    rf"(?i:conversational skill|skill[- ]of[- ]mind|appropriate skill|the skill of (?:{_ANY_SKILL}))|\b(?:"
    + "|".join(re.escape(skill) for skill in SKILLS if " " in skill)
    + r")\b"
    # As a label: a skill in brackets or stars where a line begins, one with a colon in front of everything.
    rf"|(?im:^[ \t]*[\[(*]+(?:{_ANY_SKILL})[\])*:])|\A(?i:{_ANY_SKILL})[ \t]*[:：]"
    r"|(?im:^[ \t*_]{0,9}(?:skill|explanation|rationale)[*_]{0,3}[ \t]*[:：])"
)
# What chat models put in front beside the names: their own role, and the one that they answer.
OWN_LABELS = ("assistant", "ai", "bot", "chatbot", "response", "next response", "reply")
OTHER_LABELS = ("user", "human")
STARS, BLANKS = "[*_]{0,4}", r"\s{0,9}"
# Such as (smiling), between a name and its colon.
ASIDE = rf"(?:\([^()\n]{{1,40}}\){BLANKS})?"
ROLE = re.compile(
    rf"{STARS}(?P<name>{'|'.join((*OWN_LABELS, *OTHER_LABELS))}){STARS}{BLANKS}{ASIDE}{STARS}[:：]{STARS}\s*",
    re.IGNORECASE,
)
# Blanks of one line only: over line ends, the time of a text of many empty lines grows with its square.
LINE_START = re.compile(r"\n[^\S\n]*")
SENTENCE_END = re.compile(r"[.!?…。！？؟।]+[\"'”’)»*]*(?=\s|$)")
# Scripts that are written without blanks (Japanese, Chinese, Thai) count by characters.
WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\u0e00-\u0e7f]|[^\W\u3040-\u30ff\u3400-\u9fff]+(?:['’][^\W]+)*")
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
QUOTES = {'"': '"', "“": "”", "«": "»", "„": "“", "'": "'"}
SCRIPTS = {
    "CYRILLIC": {"ru", "uk", "bg", "sr", "mk", "be", "kk", "mn"},
    "ARABIC": {"ar", "fa", "ur", "ps"},
    "HEBREW": {"he", "yi"},
    "GREEK": {"el"},
    "DEVANAGARI": {"hi", "mr", "ne", "sa"},
    "BENGALI": {"bn", "as"},
    "TAMIL": {"ta"},
    "THAI": {"th"},
    "HANGUL": {"ko"},
    "CJK": {"zh", "yue", "ja"},
    "GEORGIAN": {"ka"},
    "ARMENIAN": {"hy"},
}


@dataclass(frozen=True)
class Checked:
    """What people see of a response, and what was found."""

    text: str
    flags: tuple[Flag, ...]


@dataclass(frozen=True)
class Context:
    """What a response is checked against. `instructions` are the words of the prompt without its variables."""

    turns: Sequence[str]
    speakers: Sequence[str]
    next_speaker: str
    language: str = "en"
    instructions: str = ""
    explanation: str = ""


def usable(flags: Iterable[str]) -> bool:
    """Tell whether a response with these flags may be shown without a researcher's decision."""
    return all(flag in NOTES for flag in flags)


def identical(one: str, other: str) -> bool:
    """Tell whether two responses say the same, letter case, punctuation and blanks aside."""
    return words(one) == words(other)


def check(raw: str, *, context: Context, cut_off: bool, keeps_full_sentences: bool = False) -> Checked:
    """Normalise what a model wrote and flag what is wrong with it.

    `cut_off` tells that the token limit ended the text. Where only later turns were cut off, the first one is whole.
    """
    flags: list[Flag] = []
    text = _take_off_labels(storable(raw).strip(), context, flags)
    text = _first_turn(text, context, flags)
    if cut_off and Flag.SEVERAL_TURNS not in flags:
        text = _shorten(text, flags) if keeps_full_sentences else text
        if Flag.SHORTENED not in flags:
            flags.append(Flag.TRUNCATED)
    text = _unquote(text, flags)
    if storable(raw) != raw:
        flags.append(Flag.BAD_CHARACTERS)
    flags += [flag for flag, is_found in _defects(text, context) if is_found]
    return Checked(text, tuple(flags))


def storable(text: str) -> str:
    """Replace what a database cannot hold: NUL and half surrogate pairs."""
    return UNSTORABLE.sub("\ufffd", text)


def words(text: str) -> list[str]:
    """Return the words of a text in small letters, without punctuation; a character where none stands apart."""
    return WORD.findall(unicodedata.normalize("NFKC", text).casefold())


def _defects(text: str, context: Context) -> list[tuple[Flag, bool]]:
    spoken = words(text)
    return [
        (Flag.EMPTY, not any(_says_something(character) for character in text)),
        (Flag.PROMPT_LEAK, _leaks_prompt(text, spoken, context)),
        (Flag.SKILL_LEAK, _leaks_skill(text, spoken, context)),
        (Flag.REPEATS_DIALOGUE, any(_is_copy(spoken, words(turn)) for turn in context.turns)),
        (Flag.REPEATS_ITSELF, _goes_in_circles(text, spoken)),
        (Flag.OVER_LENGTH, len(spoken) > MAX_WORDS),
        (Flag.WRONG_LANGUAGE, _is_wrong_language(text, spoken, context.language)),
    ]


def _says_something(character: str) -> bool:
    """A letter, a number or a pictogram."""
    category = unicodedata.category(character)
    return category[0] in "LN" or category == "So"


def _take_off_labels(text: str, context: Context, flags: list[Flag]) -> str:
    while match := _label_at(text, 0, context):
        flag = Flag.LABELLED if _is_own(match["name"].casefold(), context) else Flag.WRONG_SPEAKER
        if flag not in flags:
            flags.append(flag)
        text = text[match.end() :].strip()
    return text


def _is_own(name: str, context: Context) -> bool:
    speakers = {speaker.casefold() for speaker in context.speakers}
    return name == context.next_speaker.casefold() or (name in OWN_LABELS and name not in speakers)


def _first_turn(text: str, context: Context, flags: list[Flag]) -> str:
    for line in LINE_START.finditer(text):
        if _label_at(text, line.end(), context):
            flags.append(Flag.SEVERAL_TURNS)
            return text[: line.start()].strip()
    return text


def _label_at(text: str, place: int, context: Context) -> re.Match[str] | None:
    """Return the label there: a speaker's name with a colon or in brackets, or a role of a chat with a colon."""
    return _names(frozenset(context.speakers)).match(text, place) or ROLE.match(text, place)


# Compiling takes longer than all checks of a text, and the same people come again with every agent.
@lru_cache(maxsize=4096)
def _names(speakers: frozenset[str]) -> re.Pattern[str]:
    name = rf"(?P<name>{_any_of(speakers - {''})})"
    ending = rf"(?(open)[\]>]{STARS}{BLANKS}[:：]?|{BLANKS}{ASIDE}{STARS}[:：])"
    return re.compile(rf"{STARS}(?P<open>[\[<])?{name}{STARS}{ending}{STARS}\s*", re.IGNORECASE)


def _any_of(names: Iterable[str]) -> str:
    return "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True)) or r"(?!)"


def _shorten(text: str, flags: list[Flag]) -> str:
    ends = [match.end() for match in SENTENCE_END.finditer(text)]
    if not ends:
        return text
    flags.append(Flag.SHORTENED)
    return text[: ends[-1]]


def _unquote(text: str, flags: list[Flag]) -> str:
    closing = QUOTES.get(text[:1])
    if len(text) < 3 or not closing or text[-1] != closing or closing in text[1:-1]:
        return text
    flags.append(Flag.QUOTED)
    return text[1:-1].strip()


def _leaks_prompt(text: str, spoken: list[str], context: Context) -> bool:
    small = text.casefold()
    if any(marker in small for marker in MARKERS) or _talks(TASK_TALK, text, context):
        return True
    return _shares_a_run(spoken, _runs_of_instructions(context.instructions), LEAKED_WORDS)


def _leaks_skill(text: str, spoken: list[str], context: Context) -> bool:
    """Skill talk, or the explanation word by word. What people in the dialogue say themselves is no leak."""
    if _shares_a_run(spoken, _runs(context.explanation, LEAKED_THOUGHT), LEAKED_THOUGHT):
        return True
    return _talks(SKILL_TALK, text, context)


def _talks(pattern: re.Pattern[str], text: str, context: Context) -> bool:
    said = " ".join(context.turns)
    return any(match[0] not in said for match in pattern.finditer(text))


def _shares_a_run(spoken: list[str], runs: frozenset[tuple[str, ...]], length: int) -> bool:
    return bool(runs) and any(run in runs for run in _grams(spoken, length))


# An agent's instructions are the same for all of its texts.
@lru_cache(maxsize=32)
def _runs_of_instructions(text: str) -> frozenset[tuple[str, ...]]:
    return _runs(text, LEAKED_WORDS)


def _runs(text: str, length: int) -> frozenset[tuple[str, ...]]:
    return frozenset(_grams(words(text), length))


def _is_copy(spoken: list[str], turn: list[str]) -> bool:
    """The same turn again, or a response of which most runs of five words come from one turn."""
    if len(spoken) < 4:
        return False
    runs, known = _grams(spoken, 5), set(_grams(turn, 5))
    return spoken == turn or (len(spoken) >= 8 and sum(run in known for run in runs) > 0.6 * len(runs))


def _goes_in_circles(text: str, spoken: list[str]) -> bool:
    """A sentence of three words or more three times, or a run of six words three times."""
    sentences = Counter(" ".join(said) for part in SENTENCE_END.split(text) if len(said := words(part)) >= 3)
    runs = Counter(_grams(spoken, 6))
    return any(count >= 3 for count in [*sentences.values(), *runs.values()])


def _grams(spoken: list[str], length: int) -> list[tuple[str, ...]]:
    return [tuple(spoken[start : start + length]) for start in range(len(spoken) - length + 1)]


def _is_wrong_language(text: str, spoken: list[str], language: str) -> bool:
    return _is_wrong_script(text, language) or bool(other_language(spoken, language.split("-")[0].lower()))


def _is_wrong_script(text: str, language: str) -> bool:
    """Most letters belong to a script that the language is not written in."""
    letters = [_script(letter) for letter in text if letter.isalpha()]
    expected = _script_of(language)
    return len(letters) >= 4 and sum(script != expected for script in letters) > len(letters) / 2


# The name of a letter is looked for in a table of all of them.
@lru_cache(maxsize=4096)
def _script(letter: str) -> str:
    name = unicodedata.name(letter, "").split(" ")[0]
    return "CJK" if name in {"HIRAGANA", "KATAKANA", "CJK"} else name


def _script_of(language: str) -> str:
    primary = language.split("-")[0].lower()
    return next((script for script, languages in SCRIPTS.items() if primary in languages), "LATIN")
