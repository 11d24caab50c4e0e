"""Ready-made ways through a study, to begin with and to change. Pure: no Django."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_TALK = "Mia: I have to give a talk tomorrow.\nNoah: How do you feel about it?\nMia: My hands are shaking already."

EXAMPLE = {
    "use": "example",
    "turns": "Lena: My cat did not come home.\nTom: Oh no. Since when is she gone?\nLena: Since yesterday noon.",
    "next_speaker": "Tom",
    "left": "That must worry you. Does she have a place where she likes to hide?",
    "right": "Cats are mammals. There are many kinds of mammals.",
    "expected": "left",
    "feedback": "The left response takes up what Lena says. The right one is true, but nobody would say it here.",
}
TRAINING = (
    {
        "use": "training",
        "turns": _TALK,
        "next_speaker": "Noah",
        "left": "The weather is fine. My shoes are new.",
        "right": "That happens to me, too. Shall we go through it once together?",
        "expected": "right",
        "feedback": "The right response answers Mia. The left one has nothing to do with what she said.",
    },
    {
        "use": "training",
        "turns": "Omar: I got the job!\nSara: Really? The one at the library?\nOmar: Yes, I start on Monday.",
        "next_speaker": "Sara",
        "left": "Congratulations! You wanted that one so much. How will you celebrate?",
        "right": "Sorry to hear that. Maybe it works out another time.",
        "expected": "left",
        "feedback": "Omar has good news, and only the left response has understood that.",
    },
    {
        "use": "training",
        "turns": "Ida: Can you help me carry this table?\nBen: Sure, where does it go?\nIda: Up to the second floor.",
        "next_speaker": "Ben",
        "left": "Table table table table. Up up up.",
        "right": "All right. Let me take the heavy end, and you tell me when to turn.",
        "expected": "right",
        "feedback": "The right response is something a person could say; the left one only repeats words.",
    },
)
QUESTIONS = (
    {
        "text": "What do you compare?",
        "options": "Two whole conversations\nTwo ways in which one conversation could go on\nThe two people who talk",
        "right_option": 2,
        "hint": "Each time you read one conversation and two possible next turns.",
    },
    {
        "text": "There are several questions about a pair. How do you answer them?",
        "options": "Each question for itself\nAll with the same side",
        "right_option": 1,
        "hint": "A response can be better in one way and worse in another.",
    },
    {
        "text": "You want to take a break. What happens?",
        "options": "Everything is lost\nI have to ask first\nMy answers are kept, and I go on later",
        "right_option": 3,
        "hint": "See what is said about breaks below the instructions.",
    },
)
CLOSING = (
    {"text": "Was anything unclear or annoying?", "options": "", "is_required": False},
    {"text": "How was the length of the study?", "options": "Too short\nRight\nToo long", "is_required": False},
)


@dataclass(frozen=True)
class Preset:
    """Settings of a study and the parts that it gets where it has none of that kind."""

    name: str
    explanation: str
    settings: Mapping[str, Any]
    practice: tuple[Mapping[str, Any], ...] = ()
    questions: tuple[Mapping[str, Any], ...] = ()
    closing: tuple[Mapping[str, Any], ...] = ()


_PLAIN = {
    "device_check": "",
    "has_instructions": True,
    "training_needed": None,
    "check_every": None,
    "repeat_every": None,
    "gold_every": None,
    "minimum_seconds": 0,
}

PRESETS = {
    "short": Preset(
        "Short",
        "Instructions, then the comparisons: for colleagues and classes. Checks are off.",
        _PLAIN,
    ),
    "careful": Preset(
        "Careful",
        "Instructions with a worked example, three training comparisons with feedback, a closing question, and one "
        "repeated comparison in every ten, which shows how well people agree with themselves.",
        {**_PLAIN, "repeat_every": 10, "minimum_seconds": 5},
        practice=(EXAMPLE, *TRAINING),
        closing=CLOSING[:1],
    ),
    "paid-strangers": Preset(
        "Paid strangers",
        "A look at the screen, instructions with a worked example, three questions about them with two attempts, three "
        "training comparisons of which two must be as expected, a fair check in every eight comparisons, a repeat in "
        "every ten, and closing questions.",
        {
            **_PLAIN,
            "device_check": "any",
            "comprehension_attempts": 2,
            "training_needed": 2,
            "check_every": 8,
            "check_kinds": "both",
            "repeat_every": 10,
            "minimum_seconds": 5,
        },
        practice=(EXAMPLE, *TRAINING),
        questions=QUESTIONS,
        closing=CLOSING,
    ),
}
