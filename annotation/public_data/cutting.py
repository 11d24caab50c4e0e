"""Cut whole dialogues into contexts and references, as the paper does. Pure: no Django.

Published choices: only dialogues with an even number of turns, the last turn cut off as the reference (so that the
second speaker answers), and the first 100 of each set.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from annotation.dialogue_files import LENGTHS, MAX_TURN, MAX_TURNS, DialogueRecord, Turn
from annotation.row_files import text_problem

FIRST = 100
TOO_SHORT = "fewer than two turns"
ODD = "an odd number of turns"
TOO_LONG = f"more than {MAX_TURNS} turns, or a text that is too long or cannot be stored"
EMPTY = "a turn without words"


@dataclass(frozen=True)
class Whole:
    """A dialogue as its set has it, the last turn included. `broken` says why it cannot be used, if so."""

    id: str
    turns: tuple[Turn, ...]
    kind: str
    social_context: str = ""
    reference_skills: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    content_warning: str = ""
    number: int = 0
    broken: str = ""


@dataclass(frozen=True)
class Choices:
    """Which dialogues are taken: by default those that the paper took. `first` is None for all."""

    first: int | None = FIRST
    keeps_odd: bool = False


@dataclass
class Cut:
    """What came of a set: records to import, and how many dialogues were passed over for which reason."""

    records: list[DialogueRecord] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)

    @property
    def sentences(self) -> list[str]:
        """Say what was passed over, most frequent first."""
        return [f"Passed over: {count:,} with {reason}." for reason, count in self.skipped.most_common()]


def cut(dialogues: Iterable[Whole], choices: Choices) -> Cut:
    """Take the first usable dialogues and cut off their last turns."""
    result = Cut()
    taken: Counter[str] = Counter()
    for whole in dialogues:
        if choices.first is not None and len(result.records) >= choices.first:
            break
        if reason := _why_unusable(whole, choices):
            result.skipped[reason] += 1
            continue
        taken[whole.id] += 1
        unique = whole if taken[whole.id] == 1 else replace(whole, id=f"{whole.id}-{taken[whole.id]}")
        result.records.append(_record(unique))
    return result


def _record(whole: Whole) -> DialogueRecord:
    *context, last = whole.turns
    return DialogueRecord(
        id=whole.id,
        turns=tuple(context),
        next_speaker=last.speaker,
        kind=whole.kind,
        social_context=whole.social_context,
        reference=last.text,
        reference_skills=whole.reference_skills,
        tags=whole.tags,
        content_warning=whole.content_warning,
        line=whole.number,
    )


def _why_unusable(whole: Whole, choices: Choices) -> str:
    if whole.broken:
        return whole.broken
    if any(not turn.text or not turn.speaker for turn in whole.turns):
        return EMPTY
    if len(whole.turns) < 2:
        return TOO_SHORT
    if len(whole.turns) % 2 and not choices.keeps_odd:
        return ODD
    return TOO_LONG if _is_too_long(whole) else ""


def _is_too_long(whole: Whole) -> bool:
    texts = [
        (whole.id, LENGTHS["id"]),
        (whole.social_context, LENGTHS["social_context"]),
        *((turn.text, MAX_TURN) for turn in whole.turns),
        *((turn.speaker, LENGTHS["next_speaker"]) for turn in whole.turns),
    ]
    return len(whole.turns) > MAX_TURNS or any(len(text) > limit or text_problem(text) for text, limit in texts)
