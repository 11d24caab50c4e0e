"""How simulated annotators prefer: a rule with noise that reads nothing but the two texts. Pure: no Django.

A person leans to the reply that has more of what the question is about. With d the difference of the two replies in
that feature, in units of its usual spread, and b the person's pull to the left, the lean is

    z = (sharpness / temperature) d + b
    P(left) = L(z - t)    P(right) = L(-z - t)    P(about the same) = the rest        L(x) = 1 / (1 + exp(-x))

with t > 0 the width of the tie. Pulls come in pairs of opposite sign, so the side of a reply cancels out of a
comparison's expected score, and that score follows from the texts alone.
"""

import math
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

SHARPNESS = 2.5
TIE_WIDTH = 0.4
WARM_WORDS = frozenset(
    {"you", "your", "we", "us", "our", "thank", "thanks", "sorry", "please", "help", "feel", "feeling", "hope", "care"}
    | {"understand", "together", "glad", "friend"}
)


@dataclass(frozen=True)
class Character:
    """A person: above 1, `temperature` makes them fickle; `pull` draws them to the left, or to the right below 0."""

    temperature: float
    pull: float


# Everyone is one of these, in equal parts.
CHARACTERS = tuple(Character(temperature, pull) for temperature in (0.8, 1.25) for pull in (0.4, -0.4))


@dataclass(frozen=True)
class Chances:
    """The chances of the three answers to one question."""

    left: float
    same: float
    right: float

    def without_tie(self) -> "Chances":
        """Return the chances where only left and right can be answered."""
        decided = self.left + self.right
        return Chances(self.left / decided, 0.0, self.right / decided)

    @property
    def score(self) -> float:
        """The expected score of the left reply: a win counts 1, a tie one half."""
        return self.left + self.same / 2

    @property
    def square(self) -> float:
        """The expected square of that score."""
        return self.left + self.same / 4


def words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", text.lower())


def length(text: str) -> float:
    """Return how much is said: the logarithm of the number of words, in units of 0.7."""
    return math.log(1 + len(words(text))) / 0.7


def variety(text: str) -> float:
    """Return how little is said twice: the number of different words over the root of all, in units of 1.5."""
    found = words(text)
    return len(set(found)) / math.sqrt(max(len(found), 1)) / 1.5


def warmth(text: str) -> float:
    """Return how much it turns to the other person: warm words over the root of all words, in units of 0.5."""
    found = words(text)
    return sum(word in WARM_WORDS for word in found) / math.sqrt(max(len(found), 1)) / 0.5


def feature_of(question: str) -> Callable[[str], float]:
    """Return what a person looks at when asked this; each wording has its feature, so that a copy is judged alike."""
    asked = set(words(question))
    if asked & {"natural", "naturally", "naturalness"}:
        return variety
    if asked & {"good", "kind", "kinder", "prosocial", "responsible", "caring", "considerate"}:
        return warmth
    return length


def chances(question: str, left: str, right: str, character: Character) -> Chances:
    """Return how likely this person answers what."""
    feature = feature_of(question)
    lean = SHARPNESS / character.temperature * (feature(left) - feature(right)) + character.pull
    to_left, to_right = logistic(lean - TIE_WIDTH), logistic(-lean - TIE_WIDTH)
    return Chances(to_left, 1 - to_left - to_right, to_right)


def logistic(x: float) -> float:
    """Return 1 / (1 + exp(-x)), for any x."""
    return 0.5 * (1 + math.tanh(x / 2))


def lean(question: str, left: str, right: str, who: Character, rng: random.Random, *, has_tie: bool = True) -> int:
    """Draw an answer: -1 for left, 0 for about the same, 1 for right."""
    likely, drawn = chances(question, left, right, who), rng.random()
    if not has_tie:
        likely = likely.without_tie()
    return -1 if drawn < likely.left else 1 if drawn < likely.left + likely.right else 0


@dataclass(frozen=True)
class Expected:
    """The first two moments of the treatment's score in one judgement by somebody of the crowd."""

    mean: float
    variance: float


def expected_score(question: str, treatment: str, baseline: str, *, has_tie: bool = True) -> Expected:
    """Return what a judgement of this pair scores, over all characters and both sides."""
    shown = [chances(question, treatment, baseline, character) for character in CHARACTERS]
    if not has_tie:
        shown = [chance.without_tie() for chance in shown]
    mean = sum(chance.score for chance in shown) / len(shown)
    return Expected(mean, sum(chance.square for chance in shown) / len(shown) - mean**2)


def guess(values: Sequence[int]) -> Expected:
    """Return what a judgement scores that is drawn evenly from these answers, or always names one side.

    Sides are balanced, so one side wins as often for the treatment as for the baseline; a guess may be a tie.
    """
    return Expected(0.5, sum(value != 0 for value in values) / len(values) / 4)
