"""How decisions about pay are laid out for each platform: ids, bonuses, a table of everything. Pure.

The sources of the forms are named in docs/platforms.md.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from annotation.decisions import Decision


class PayList(StrEnum):
    """APPROVE: an id a line, to paste. BONUS: an id and an amount a line, to paste. ALL: a table of every decision."""

    APPROVE = "approve"
    BONUS = "bonus"
    ALL = "all"


class Told(NamedTuple):
    """A decision with the person, the participation and the study as the platform names them; `batch` is the last."""

    person: str
    submission: str
    decision: Decision
    category: str
    message: str
    bonus: Decimal
    currency: str
    batch: str = ""


ALL_COLUMNS = ("person", "submission", "decision", "category", "message", "bonus", "currency", "batch")
MTURK_COLUMNS = ("AssignmentId", "WorkerId", "Approve", "Reject", "BonusAmount", "Reason")
MTURK_FEEDBACK = 1024
"""Mechanical Turk takes no longer feedback with a rejection."""
BONUS_REASON = "A bonus for your work in this study. Thank you!"
"""Mechanical Turk pays no bonus without a reason, and a decision may have been made without words."""
PAID = frozenset({Decision.APPROVE, Decision.BONUS})

type Row = Sequence[object]


def lay_out(kind: PayList, platform: str, told: Iterable[Told]) -> tuple[tuple[str, ...], list[Row]]:
    """Return the header, empty for a list that is pasted, and the rows."""
    decisions = list(told)
    match kind:
        case PayList.APPROVE:
            return (), [(each.person,) for each in decisions if each.decision in PAID]
        case PayList.BONUS:
            return (), [(each.person, each.bonus) for each in decisions if each.decision == Decision.BONUS]
    if platform == "mturk":
        return MTURK_COLUMNS, [_for_mturk(each) for each in decisions if each.decision != Decision.RETURN]
    return ALL_COLUMNS, [(*each[:5], each.bonus or "", each.currency, each.batch) for each in decisions]


def _for_mturk(told: Told) -> Row:
    """Mark one of two columns as a results file has them; amount and reason are for a bonus alone."""
    approve, reject = ("X", "") if told.decision in PAID else ("", told.message[:MTURK_FEEDBACK])
    is_bonus = told.decision == Decision.BONUS
    amount, reason = (told.bonus, told.message or BONUS_REASON) if is_bonus else ("", "")
    return (told.submission, told.person, approve, reject, amount, reason)
