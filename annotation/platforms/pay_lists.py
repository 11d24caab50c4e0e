"""Lists of decisions about pay as the platforms take them: ids to approve, bonuses, a table of everything. Pure."""

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
    """A decision with the person and the participation as the platform names them."""

    person: str
    submission: str
    decision: Decision
    category: str
    message: str
    bonus: Decimal
    currency: str


ALL_COLUMNS = ("person", "submission", "decision", "category", "message", "bonus", "currency")
MTURK_COLUMNS = ("WorkerId", "AssignmentId", "Approve", "Reject", "BonusAmount", "Reason")
PAID = frozenset({Decision.APPROVE, Decision.BONUS})

type Row = Sequence[object]


def pay_list(kind: PayList, platform: str, told: Iterable[Told]) -> tuple[tuple[str, ...], list[Row]]:
    """Return the header, empty for a list that is pasted, and the rows."""
    decisions = list(told)
    match kind:
        case PayList.APPROVE:
            return (), [(each.person,) for each in decisions if each.decision in PAID]
        case PayList.BONUS:
            return (), [(each.person, each.bonus) for each in decisions if each.decision == Decision.BONUS]
    if platform == "mturk":
        return MTURK_COLUMNS, [_for_mturk(each) for each in decisions if each.decision != Decision.RETURN]
    return ALL_COLUMNS, [(*each[:5], each.bonus or "", each.currency) for each in decisions]


def _for_mturk(told: Told) -> Row:
    """Mark one of two columns, as the file of a batch has them; a rejection holds its message."""
    is_paid = told.decision in PAID
    reject = "" if is_paid else told.message
    return (told.person, told.submission, "x" if is_paid else "", reject, told.bonus or "", told.message)
