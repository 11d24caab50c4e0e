"""Criteria that most studies ask about, defined for people who have never read a paper. Pure: no Django."""

from collections.abc import Sequence
from dataclasses import dataclass

from annotation.checks import FIELD

TAKEN = frozenset({FIELD, "active_ms", "blurs", "sure", "csrfmiddlewaretoken"})
"""Fields of the rating page beside those of the criteria."""


def taken_keys(keys: Sequence[str]) -> list[str]:
    """Return the keys under which the page sends something else, so that an answer would be lost or read as that."""
    return [key for key in keys if key in TAKEN or key.removesuffix("-reason") in {*keys} - {key}]


@dataclass(frozen=True)
class PresetCriterion:
    """A question about a pair of responses and the sentence that says what it means."""

    key: str
    name: str
    question: str
    definition: str


NATURALNESS = PresetCriterion(
    key="naturalness",
    name="Naturalness",
    question="Which response sounds more natural?",
    definition=(
        "A natural response fits what was said before and reads like something a real person could say here. "
        "It does not repeat itself, drift off topic or sound like a form letter."
    ),
)
ENGAGINGNESS = PresetCriterion(
    key="engagingness",
    name="Engagingness",
    question="Which response makes you want to keep talking?",
    definition=(
        "An engaging response shows interest and gives the other person something to pick up: "
        "a thought, a feeling or a good question. A short or flat reply that closes the topic is less engaging."
    ),
)
PROSOCIALITY = PresetCriterion(
    key="prosociality",
    name="Prosociality",
    question="Which response does more good?",
    definition=(
        "A prosocial response is kind, fair and safe for everyone, also for people who are only talked about. "
        "If somebody plans something harmful or unfair, it steers away from that without lecturing."
    ),
)

USUAL_CRITERIA = (NATURALNESS, ENGAGINGNESS, PROSOCIALITY)
