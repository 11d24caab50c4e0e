"""Fair checks of attention, and where checks, gold and repeated comparisons come. Pure: no Django.

A check is one more item under a comparison. Either it says itself what to choose, or it states plain nonsense on a
scale of its own with two sides and no middle. What passes depends on the words of the chosen option alone, never on
the side of a response or the order of options, so whoever follows the text passes by construction.

Places come from the annotator's seed and the number of the comparison: every block of n comparisons has exactly one,
at a random place of the block. Nothing is stored to know where the next one is, and the record can repeat it.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from annotation.allocation import ring_position

FIELD = "one-more"
"""The form field of a check's answer: it tells nothing about what it is."""

FIRST_REPEAT_AFTER = 3
"""So many comparisons lie between a comparison and its repeat at least."""


class CheckKind(StrEnum):
    """INSTRUCTION says what to choose; NONSENSE is a statement that nobody can agree with."""

    INSTRUCTION = "instruction"
    NONSENSE = "nonsense"


class CheckItem(NamedTuple):
    """One check as it is shown: its text, options in screen order, and which of them pass. Option keys are neutral."""

    kind: CheckKind
    name: str
    options: tuple[str, ...]
    passing: frozenset[str]

    def passes(self, value: str) -> bool:
        return value in self.passing


@dataclass(frozen=True)
class Checks:
    """How often each kind comes: one in every so many comparisons; 0 = never.

    kinds: which checks take turns.
    """

    every: int = 0
    kinds: tuple[CheckKind, ...] = (CheckKind.INSTRUCTION, CheckKind.NONSENSE)
    gold_every: int = 0
    repeat_every: int = 0

    def __bool__(self) -> bool:
        return bool(self.every or self.gold_every or self.repeat_every)


# Which side an instruction names. The words are in the page's template files, in the reader's language.
INSTRUCTIONS = ("choose-left", "choose-right")
NONSENSE = ("moon", "hours", "ocean", "stones", "age", "months")
"""Statements that no honest person can agree with, whatever their language, health, work or belief."""

AGREEMENT = ("disagree-strongly", "disagree", "agree", "agree-strongly")
SIDES = ("left", "right")

_PLACE, _TEXT, _GOLD, _REPEAT = 0x51ED, 0x2C9B, 0x7A31, 0x0D6F


def item_for(checks: Checks, *, seed: int, number: int) -> CheckItem | None:
    """Return the check under comparison `number` (from 1) of the annotator with this seed; None under most."""
    if not checks.every or not checks.kinds or not _is_at(checks.every, seed ^ _PLACE, number):
        return None
    block = (number - 1) // checks.every
    word = ring_position(seed ^ _TEXT, block)
    kind = checks.kinds[(seed + block) % len(checks.kinds)]
    if kind == CheckKind.INSTRUCTION:
        name = INSTRUCTIONS[word % len(INSTRUCTIONS)]
        return CheckItem(kind, name, SIDES, frozenset({name.removeprefix("choose-")}))
    # The first statement is the seed's, and each block has the next one: no statement comes twice before all have.
    place = (ring_position(seed ^ _TEXT, -1) + block) % len(NONSENSE)
    options = AGREEMENT if word % 2 else tuple(reversed(AGREEMENT))
    return CheckItem(kind, NONSENSE[place], options, frozenset({"disagree-strongly", "disagree"}))


class Special(StrEnum):
    """A comparison that does not count in the results and has a place of its own."""

    GOLD = "gold"
    REPEAT = "repeat"


def special_at(checks: Checks, *, seed: int, number: int) -> Special | None:
    """Return whether comparison `number` of this annotator should be a gold or a repeated one.

    A repeat whose place is taken by gold comes at the next free place of its block.
    """
    if _is_at(checks.gold_every, seed ^ _GOLD, number):
        return Special.GOLD
    if checks.repeat_every and number == _repeat_in_block(checks, seed, (number - 1) // checks.repeat_every):
        return Special.REPEAT
    return None


def main_in_full_part(checks: Checks, quota: int) -> int:
    """Return how many of a person's comparisons count in the results at least: the rest is gold or repeated."""
    special = sum(quota // every for every in (checks.gold_every, checks.repeat_every) if every)
    return max(quota - special, 0)


def _repeat_in_block(checks: Checks, seed: int, block: int) -> int:
    every = checks.repeat_every
    start = ring_position(seed ^ _REPEAT, block) % every
    numbers = [block * every + (start + step) % every + 1 for step in range(every)]
    return next((n for n in numbers if not _is_at(checks.gold_every, seed ^ _GOLD, n)), 0)


def _is_at(every: int, seed: int, number: int) -> bool:
    """Whether the one place of this number's block is this number. With `every` 1 each number is one."""
    if not every:
        return False
    block, place = divmod(number - 1, every)
    return place == ring_position(seed, block) % every


def is_hasty(active_ms: int | None, minimum_seconds: int) -> bool:
    """Whether an answer came so fast that the person is asked once if they are sure; never where no time is known."""
    return bool(minimum_seconds) and active_ms is not None and active_ms < minimum_seconds * 1000
