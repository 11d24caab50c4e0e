"""Answer a comparison and go on to the next; keep a draft; hand back; correct the last answer.

The order of locks is the same everywhere: assignment, annotator, slot. A claim never waits for a slot, so no two of
these can wait for each other.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

from django.db import transaction
from django.db.models import F
from psycopg.types.json import Jsonb

from annotation.answers import Answer, Problem, Verdict, as_answer, as_verdicts, find_problems
from annotation.checks import CheckItem, item_for
from annotation.errors import DuologueError
from annotation.models import Annotator, Assignment, Judgement, Slot
from annotation.services.annotators import Held, Standing, free_held
from annotation.services.claiming import (
    NoWork,
    Reason,
    claim,
    claim_next,
    expire_stale,
    find_standing_again,
    take_up_again,
)
from annotation.services.sheets import Sheet
from annotation.services.statements import row, run
from annotation.states import AssignmentState, Exit, Outcome, Side, StudyState

__all__ = [
    "ONE_MORE",
    "Checked",
    "Correctable",
    "Held",
    "InvalidAnswers",
    "NoWork",
    "Reason",
    "Receipt",
    "Submitted",
    "TooLateToCorrect",
    "claim_next",
    "correct",
    "expire_stale",
    "find_last",
    "heartbeat",
    "release",
    "save_draft",
    "submit_and_claim",
]


ONE_MORE = 0
"""Stands for the check where criteria stand by their ids."""


class Receipt(StrEnum):
    """What became of an answer.

    SURPLUS: somebody else had the place meanwhile; it counts for the person, not for the results. REPEATED: it was
    saved before; nothing changed. STALE: this comparison is not theirs to answer; nothing was stored.
    """

    SAVED = "saved"
    SURPLUS = "surplus"
    REPEATED = "repeated"
    STALE = "stale"


class Submitted(NamedTuple):
    """What became of an answer, and what comes next."""

    receipt: Receipt
    following: Held | NoWork


class InvalidAnswers(DuologueError):
    """At least one criterion is not answered as the study asks; nothing is stored."""

    user_message = "Please answer every question."

    def __init__(self, problems: dict[int, Problem]) -> None:
        self.problems = problems
        super().__init__()


class TooLateToCorrect(DuologueError):
    user_message = "Your next answer is saved already, so this one cannot be changed any more."


class Checked(NamedTuple):
    """A check that stood under a comparison, and the answer to it."""

    item: CheckItem
    answer: str


class Timing(NamedTuple):
    """What the page says about the time spent. Stored apart, never trusted for control."""

    active_ms: int | None = None
    blurs: int | None = None


_ANSWERS = """
unnest(%(criteria)s::bigint[], %(outcomes)s::text[], %(grades)s::smallint[], %(reasons)s::text[])
    AS answer (criterion, outcome, grade, reason)
"""

_SUBMIT = f"""
WITH done AS (
    UPDATE annotation_assignment SET state = 'submitted', submitted_at = %(now)s, active_ms = %(active_ms)s,
           blurs = %(blurs)s, draft = '{{}}'
    WHERE id = %(assignment)s AND annotator_id = %(annotator)s AND state = 'claimed'
    RETURNING id
), judged AS (
    INSERT INTO annotation_judgement (assignment_id, criterion_id, outcome, grade, treatment_side, reason)
    SELECT done.id, criterion, outcome, grade, %(side)s, reason FROM done, {_ANSWERS}
)
UPDATE annotation_annotator a
SET submitted_count = submitted_count + 1, left_balance = left_balance + %(balance)s, last_submitted_id = done.id,
    last_dialogue_id = %(dialogue)s
FROM done WHERE a.id = %(annotator)s
RETURNING a.submitted_count, a.left_balance
"""  # noqa: S608 - put together from constants of this module

_JUDGE = f"""
INSERT INTO annotation_judgement (assignment_id, criterion_id, outcome, grade, treatment_side, reason)
SELECT %(assignment)s, criterion, outcome, grade, %(side)s, reason FROM {_ANSWERS}
"""  # noqa: S608 - put together from constants of this module


def submit_and_claim(
    standing: Standing,
    code: UUID,
    answers: Mapping[int, Answer],
    sheet: Sheet,
    *,
    now: datetime,
    timing: Timing = Timing(),  # noqa: B008 - an immutable value
    checked: Checked | None = None,
    late_check: str = "",
) -> Submitted:
    """Store the answers to the comparison of this code, once, and hand out the next one.

    `answers` maps criterion ids to what the page sent; `late_check` is what it sent for a check, should the comparison
    not be in the annotator's hands any more. Raises: InvalidAnswers, with nothing stored; the problem of an unanswered
    check stands under ONE_MORE.
    """
    problems = find_problems(answers, sheet.criterion_ids, sheet.rules)
    if checked and checked.answer not in checked.item.options:
        problems[ONE_MORE] = Problem.MISSING
    if problems:
        raise InvalidAnswers(problems)
    wanted = {criterion: answers[criterion] for criterion in sheet.criterion_ids}
    if standing.held is None or standing.held.code != code:
        return _submit_otherwise(standing, code, wanted, sheet, now=now, timing=timing, check=late_check)
    held = standing.held
    with transaction.atomic():
        verdicts = as_verdicts(wanted, held.treatment_side, sheet.rules)
        after = _submit(standing, held, verdicts, now=now, timing=timing)
        if after:
            if checked:
                _keep_check(standing, held.assignment_id, checked)
            following = claim(after, now=now)
    if not after:
        again = find_standing_again(standing)
        return _submit_otherwise(again, code, wanted, sheet, now=now, timing=timing, check=late_check)
    return Submitted(Receipt.SAVED, following or claim_next(after, now=now))


def _submit(
    standing: Standing, held: Held, verdicts: list[Verdict], *, now: datetime, timing: Timing
) -> Standing | None:
    """Store the answers to the held comparison and return the standing after it; None if it is held no longer."""
    values = _judgement_values(held.assignment_id, held.treatment_side, verdicts) | {
        "annotator": standing.annotator_id,
        "balance": 1 if held.is_flipped else -1,
        "dialogue": held.dialogue_id,
        "now": now,
        "active_ms": timing.active_ms,
        "blurs": timing.blurs,
    }
    counts = row(_SUBMIT, values)
    if counts is None:
        return None
    return standing._replace(
        submitted_count=counts[0],
        left_balance=counts[1],
        last_submitted_id=held.assignment_id,
        last_dialogue_id=held.dialogue_id,
        held=None,
    )


_CHECK = """
INSERT INTO annotation_checkresult (assignment_id, annotator_id, kind, name, answer, is_passed)
VALUES (%(assignment)s, %(annotator)s, %(kind)s, %(name)s, %(answer)s, %(is_passed)s::text::boolean)
ON CONFLICT (assignment_id) DO NOTHING
"""


def _keep_check(standing: Standing, assignment_id: int, checked: Checked) -> None:
    values = {
        "assignment": assignment_id,
        "annotator": standing.annotator_id,
        "kind": checked.item.kind,
        "name": checked.item.name,
        "answer": checked.answer,
        # As text: a truth value would be widened to a number like all of them.
        "is_passed": "true" if checked.item.passes(checked.answer) else "false",
    }
    run(_CHECK, values)


def _judge(assignment_id: int, side: Side, verdicts: list[Verdict]) -> None:
    run(_JUDGE, _judgement_values(assignment_id, side, verdicts))


def _judgement_values(assignment_id: int, side: Side, verdicts: list[Verdict]) -> dict[str, Any]:
    return {
        "assignment": assignment_id,
        "side": side,
        "criteria": [verdict.criterion_id for verdict in verdicts],
        "outcomes": [verdict.outcome for verdict in verdicts],
        "grades": [verdict.grade for verdict in verdicts],
        "reasons": [verdict.reason for verdict in verdicts],
    }


def _submit_otherwise(
    standing: Standing,
    code: UUID,
    answers: Mapping[int, Answer],
    sheet: Sheet,
    *,
    now: datetime,
    timing: Timing,
    check: str,
) -> Submitted:
    """Deal with an answer to a comparison that is not in the annotator's hands: repeated, late or not theirs."""
    with transaction.atomic():
        receipt = _take_late(standing, code, answers, sheet, now=now, timing=timing, check=check)
    return Submitted(receipt, claim_next(find_standing_again(standing), now=now))


def _take_late(
    standing: Standing,
    code: UUID,
    answers: Mapping[int, Answer],
    sheet: Sheet,
    *,
    now: datetime,
    timing: Timing,
    check: str,
) -> Receipt:
    theirs = Assignment.objects.filter(annotator_id=standing.annotator_id).select_related("slot")
    late = theirs.select_for_update(of=("self",)).filter(code=code).first()
    if late is None or not _may_answer_late(standing, late):
        is_known = late is not None and late.state in {AssignmentState.SUBMITTED, AssignmentState.SURPLUS}
        return Receipt.REPEATED if is_known else Receipt.STALE
    if not _count(standing, late, Side(late.slot.treatment_side)):
        return Receipt.STALE
    in_time = standing.study_state != StudyState.CLOSED and Slot.objects.filter(pk=late.slot_id, is_open=True).update(
        is_open=False
    )
    late.state = AssignmentState.SUBMITTED if in_time else AssignmentState.SURPLUS
    late.submitted_at, late.active_ms, late.blurs, late.draft = now, timing.active_ms, timing.blurs, {}
    late.save(update_fields=["state", "submitted_at", "active_ms", "blurs", "draft"])
    side = Side(late.slot.treatment_side)
    _judge(late.pk, side, as_verdicts(answers, side, sheet.rules))
    item = item_for(sheet.checks, seed=standing.seed, number=late.number)
    # A late answer is never refused, so a check that it leaves open stays open.
    if item and check in item.options:
        _keep_check(standing, late.pk, Checked(item, check))
    if standing.submitted_count + 1 >= standing.quota:
        free_held(standing.annotator_id, to=AssignmentState.EXPIRED)
    return Receipt.SAVED if in_time else Receipt.SURPLUS


def _may_answer_late(standing: Standing, late: Assignment) -> bool:
    """An expired comparison may be answered unless the person has it, or has answered it, in another place."""
    if late.state != AssignmentState.EXPIRED or standing.exit not in {"", Exit.TIMED_OUT}:
        return False
    elsewhere = Assignment.objects.filter(annotator_id=standing.annotator_id, comparison_id=late.comparison_id)
    return not elsewhere.exclude(pk=late.pk).exclude(state=AssignmentState.EXPIRED).exists()


def _count(standing: Standing, late: Assignment, side: Side) -> bool:
    """Count a late answer inside the quota; False when the quota is full without it."""
    theirs = Annotator.objects.filter(pk=standing.annotator_id, submitted_count__lt=standing.quota)
    return bool(
        theirs.update(
            submitted_count=F("submitted_count") + 1,
            left_balance=F("left_balance") + (1 if side == Side.LEFT else -1),
            last_submitted_id=late.pk,
            last_dialogue_id=late.slot.dialogue_id,
        )
    )


_KEEP = """
UPDATE annotation_assignment SET lease_until = %(lease_until)s, draft = coalesce(%(draft)s, draft)
WHERE code = %(code)s AND annotator_id = %(annotator)s AND state = 'claimed'
RETURNING lease_until
"""


def save_draft(standing: Standing, code: UUID, draft: dict[str, Any], *, now: datetime) -> datetime | None:
    """Keep the answers made so far and renew the lease. Returns when it ends now; None if the comparison is gone."""
    return _keep(standing, code, Jsonb(draft), now=now)


def heartbeat(standing: Standing, code: UUID, *, now: datetime) -> datetime | None:
    """Renew the lease of an open, active page. Returns when it ends now; None if the comparison is gone."""
    return _keep(standing, code, None, now=now)


def _keep(standing: Standing, code: UUID, draft: Jsonb | None, *, now: datetime) -> datetime | None:
    lease_until = now + timedelta(minutes=standing.lease_minutes)
    values = {"code": code, "annotator": standing.annotator_id, "draft": draft, "lease_until": lease_until}
    with transaction.atomic():
        if row(_KEEP, values):
            return lease_until
        if standing.held or not take_up_again(standing, now=now, code=code):
            return None
        row(_KEEP, values)
    return lease_until


def release(standing: Standing, code: UUID) -> bool:
    """Hand a comparison back unanswered: its slot opens for others and this person is not asked again."""
    with transaction.atomic():
        if standing.held is None or standing.held.code != code:
            return False
        released = free_held(standing.annotator_id, to=AssignmentState.RELEASED)
        Annotator.objects.filter(pk=standing.annotator_id).update(last_dialogue_id=standing.held.dialogue_id)
    return released


class Correctable(NamedTuple):
    """The last answered comparison with what was answered, as the page shows it."""

    held: Held
    answers: dict[int, Answer]


def find_last(standing: Standing) -> Correctable | None:
    """Return the comparison whose answer can still be corrected; None when there is none."""
    if standing.last_submitted_id is None or standing.study_state == StudyState.CLOSED:
        return None
    last = Assignment.objects.select_related("slot").get(pk=standing.last_submitted_id)
    side = Side(last.slot.treatment_side)
    held = Held(last.pk, last.code, last.comparison_id, last.slot.dialogue_id, side, last.number, last.lease_until, {})
    return Correctable(held, {j.criterion_id: as_answer(_verdict(j), side) for j in last.judgements.all()})


def _verdict(judgement: Judgement) -> Verdict:
    return Verdict(judgement.criterion_id, Outcome(judgement.outcome), judgement.grade, judgement.reason)


def correct(standing: Standing, code: UUID, answers: Mapping[int, Answer], sheet: Sheet, *, now: datetime) -> None:
    """Replace the last answer, until the next one is saved. Raises: InvalidAnswers, TooLateToCorrect."""
    if problems := find_problems(answers, sheet.criterion_ids, sheet.rules):
        raise InvalidAnswers(problems)
    last = find_last(standing)
    if last is None or last.held.code != code:
        raise TooLateToCorrect()
    wanted = {criterion: answers[criterion] for criterion in sheet.criterion_ids}
    pk, side = last.held.assignment_id, last.held.treatment_side
    with transaction.atomic():
        still = Annotator.objects.filter(pk=standing.annotator_id, last_submitted_id=pk, exit="")
        if not still.update(last_submitted_id=pk):
            raise TooLateToCorrect()
        Assignment.objects.filter(pk=pk).update(corrected_at=now)
        Judgement.objects.filter(assignment_id=pk).delete()
        _judge(pk, side, as_verdicts(wanted, side, sheet.rules))
