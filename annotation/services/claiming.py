"""Put an open slot into somebody's hands, take it out again, and say why there is none.

A claim is one statement. It takes the first slot on a ring that nobody else is taking at this moment: on the side this
annotator should see next, of another dialogue than the last one. Only where that ring is empty for them a second
statement looks along the other side, and along both sides with the last dialogue allowed. Within a side the lowest
layer comes first, so that comparisons fill breadth first. Each look is a walk along one partial index from the
annotator's own place on the ring.
"""

import math
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID, uuid4

from django.db import IntegrityError, transaction
from django.db.models import Exists, Min, OuterRef, QuerySet

from annotation.allocation import preferred_side, ring_position
from annotation.checks import special_at
from annotation.models import Assignment, Slot
from annotation.pairing import opposite
from annotation.services.annotators import Held, Standing, as_held, find_standing
from annotation.services.sheets import frozen_sheet
from annotation.services.specials import claim_special
from annotation.services.statements import row, run
from annotation.states import AssignmentState, ComparisonKind, Side, StudyState


class Reason(StrEnum):
    """Why there is nothing to judge. LEFT: this person's part in the study has ended."""

    ALL_DONE = "all_done"
    OTHERS_HOLD = "others_hold"
    QUOTA_REACHED = "quota_reached"
    PAUSED = "paused"
    CLOSED = "closed"
    LEFT = "left"


class NoWork(NamedTuple):
    """There is nothing to judge; `minutes` says when to come back where others hold the last comparisons."""

    reason: Reason
    minutes: int = 0


# Comparisons that are this person's already, or that they skipped. OFFSET 0 keeps the planner from turning the
# question into a join that reads all their assignments first.
_NOT_THEIRS = """NOT EXISTS (
    SELECT 1 FROM annotation_assignment g
    WHERE g.annotator_id = %(annotator)s AND g.comparison_id = l.comparison_id
      AND g.state IN ('claimed', 'submitted', 'surplus', 'released') OFFSET 0)"""

_ARC = """(
    SELECT l.id, l.comparison_id, l.dialogue_id, l.treatment_side FROM annotation_slot l
    WHERE l.study_id = me.study_id AND l.treatment_side = {side} AND l.is_open AND l.ordinal = layer
      AND l.rank {beyond} %(place)s {other_dialogue} AND {not_theirs}
    ORDER BY l.rank LIMIT 1 FOR UPDATE SKIP LOCKED)"""

_RING = """(
    SELECT found.* FROM me, LATERAL (
        SELECT min(l.ordinal) AS low, max(l.ordinal) AS high FROM annotation_slot l
        WHERE l.study_id = me.study_id AND l.treatment_side = {side} AND l.is_open
    ) layers, LATERAL generate_series(layers.low, layers.high) layer, LATERAL (
        SELECT * FROM {ahead} ahead UNION ALL SELECT * FROM {behind} behind LIMIT 1
    ) found LIMIT 1)"""


def _ring(side: str, other_dialogue: str) -> str:
    arcs = {
        name: _ARC.format(side=side, beyond=beyond, other_dialogue=other_dialogue, not_theirs=_NOT_THEIRS)
        for name, beyond in (("ahead", ">="), ("behind", "<"))
    }
    return _RING.format(side=side, **arcs)


_OTHER_DIALOGUE = "AND l.dialogue_id <> %(last_dialogue)s"
_FIRST_CHOICE = _ring("%(side)s", _OTHER_DIALOGUE)
_OTHER_CHOICES = [_ring("%(other_side)s", _OTHER_DIALOGUE), _ring("%(side)s", ""), _ring("%(other_side)s", "")]

_CLAIM = """
WITH me AS MATERIALIZED (
    SELECT a.study_id, a.submitted_count FROM annotation_annotator a JOIN annotation_study s ON s.id = a.study_id
    WHERE a.id = %(annotator)s AND a.exit = '' AND s.state = 'running' AND a.submitted_count < s.quota_per_annotator
), pick AS MATERIALIZED (
    SELECT * FROM ({rings}) rings LIMIT 1
), taken AS (
    UPDATE annotation_slot SET is_open = false FROM pick WHERE annotation_slot.id = pick.id
), made AS (
    INSERT INTO annotation_assignment
        (slot_id, annotator_id, comparison_id, state, code, number, claimed_at, lease_until, draft)
    SELECT pick.id, %(annotator)s, pick.comparison_id, 'claimed', %(code)s, me.submitted_count + 1, %(now)s,
           %(lease_until)s, '{{}}'
    FROM pick, me
    RETURNING id, number
)
SELECT made.id, made.number, pick.comparison_id, pick.dialogue_id, pick.treatment_side FROM made, pick
"""


def _claim_along(*rings: str) -> str:
    return _CLAIM.format(rings=" UNION ALL ".join(f"SELECT * FROM {ring} ring" for ring in rings))  # noqa: S608 - constants


_CLAIM_FIRST_CHOICE = _claim_along(_FIRST_CHOICE)
_CLAIM_ANY = _claim_along(_FIRST_CHOICE, *_OTHER_CHOICES)


def claim(standing: Standing, *, now: datetime) -> Held | None:
    """Take the next slot for this annotator, if any is open to them. Raises: IntegrityError if they hold one."""
    number = standing.submitted_count + 1
    checks = frozen_sheet(standing.study_id, standing.study_sha256).checks
    special = special_at(checks, seed=standing.seed, number=number) if checks else None
    if special and (due := claim_special(standing, special, now=now)):
        return due
    side = preferred_side(standing.left_balance, seed=standing.seed, number=number)
    code, lease_until = uuid4(), now + timedelta(minutes=standing.lease_minutes)
    values: dict[str, Any] = {
        "annotator": standing.annotator_id,
        "place": ring_position(standing.seed, number),
        "last_dialogue": standing.last_dialogue_id or 0,
        "side": side,
        "code": code,
        "now": now,
        "lease_until": lease_until,
    }
    found = row(_CLAIM_FIRST_CHOICE, values) or row(_CLAIM_ANY, values | {"other_side": opposite(side)})
    if found is None:
        return None
    pk, made_number, comparison, dialogue, shown = found
    return Held(pk, code, comparison, dialogue, Side(shown), made_number, lease_until, {})


def claim_next(standing: Standing, *, now: datetime) -> Held | NoWork:
    """Return the comparison in the annotator's hands, or their own expired one while free, or the next one."""
    for _ in range(3):
        try:
            with transaction.atomic():
                if taken := standing.held or take_up_again(standing, now=now) or claim(standing, now=now):
                    return taken
        except IntegrityError:
            # Another tab of the same person was faster: its claim is theirs.
            standing = find_standing_again(standing)
            continue
        if not expire_stale(now=now, study_id=standing.study_id) and not may_be_open(standing):
            break
    return why_no_work(standing, now=now)


def find_standing_again(standing: Standing) -> Standing:
    """Read the standing anew. Raises: LookupError if the annotator was deleted meanwhile."""
    fresh = find_standing(standing.study_code, standing.code)
    if fresh is None:
        raise LookupError("The annotator is gone.")
    return fresh


_TAKE_UP = """
WITH mine AS MATERIALIZED (
    SELECT g.id, g.slot_id, l.dialogue_id, l.treatment_side
    FROM annotation_assignment g
    JOIN annotation_slot l ON l.id = g.slot_id
    JOIN annotation_annotator a ON a.id = g.annotator_id
    JOIN annotation_study s ON s.id = a.study_id
    WHERE g.annotator_id = %(annotator)s AND g.state = 'expired' AND l.is_open
      AND a.exit = '' AND s.state = 'running' AND a.submitted_count < s.quota_per_annotator
      AND (%(code)s::uuid IS NULL OR g.code = %(code)s)
      AND NOT EXISTS (
          SELECT 1 FROM annotation_assignment o
          WHERE o.annotator_id = g.annotator_id AND o.comparison_id = g.comparison_id
            AND o.state IN ('claimed', 'submitted', 'surplus', 'released'))
    ORDER BY g.id DESC LIMIT 1 FOR UPDATE OF g, l SKIP LOCKED
), taken AS (
    UPDATE annotation_slot SET is_open = false FROM mine WHERE annotation_slot.id = mine.slot_id
)
UPDATE annotation_assignment g SET state = 'claimed', lease_until = %(lease_until)s FROM mine WHERE g.id = mine.id
RETURNING g.id, g.code, g.comparison_id, mine.dialogue_id, mine.treatment_side, g.number, g.lease_until, g.draft
"""


def take_up_again(standing: Standing, *, now: datetime, code: UUID | None = None) -> Held | None:
    """Put the annotator's own expired comparison back into their hands while its slot is free, draft included."""
    lease_until = now + timedelta(minutes=standing.lease_minutes)
    found = row(_TAKE_UP, {"annotator": standing.annotator_id, "code": code, "lease_until": lease_until})
    return None if found is None else as_held(found)


_EXPIRE = """
WITH gone AS (
    UPDATE annotation_assignment SET state = 'expired' WHERE id IN (
        SELECT g.id FROM annotation_assignment g JOIN annotation_annotator a ON a.id = g.annotator_id
        WHERE g.state = 'claimed' AND g.lease_until < %(now)s
          AND (%(study)s::bigint IS NULL OR a.study_id = %(study)s)
        FOR UPDATE OF g SKIP LOCKED)
    RETURNING slot_id
), freed AS (
    UPDATE annotation_slot l SET is_open = true FROM gone, annotation_comparison c, annotation_study s
    WHERE l.id = gone.slot_id AND c.id = l.comparison_id AND s.id = l.study_id
      AND c.excluded_at IS NULL AND c.kind = 'main' AND s.state <> 'closed'
)
SELECT count(*) FROM gone
"""


def expire_stale(*, now: datetime, study_id: int | None = None) -> int:
    """End every lease that is over, in one study or in all, and open the slots. Returns how many."""
    (expired,) = run(_EXPIRE, {"now": now, "study": study_id}).fetchone() or (0,)
    return int(expired)


def why_no_work(standing: Standing, *, now: datetime) -> NoWork:
    """Say why this annotator gets nothing, in the order in which a person would want to know."""
    fresh = find_standing_again(standing)
    if fresh.exit:
        return NoWork(Reason.LEFT)
    if fresh.study_state not in {StudyState.RUNNING, StudyState.PAUSED}:
        return NoWork(Reason.CLOSED)
    if fresh.submitted_count >= fresh.quota:
        # Before the pause: whoever has done it all waits for nothing, and a platform's clock runs on.
        return NoWork(Reason.QUOTA_REACHED)
    if fresh.study_state == StudyState.PAUSED:
        return NoWork(Reason.PAUSED)
    held = Assignment.objects.filter(state=AssignmentState.CLAIMED, slot__in=_not_theirs(standing))
    first = held.aggregate(at=Min("lease_until"))["at"]
    if first is None and not may_be_open(standing):
        return NoWork(Reason.ALL_DONE)
    return NoWork(Reason.OTHERS_HOLD, max(1, math.ceil((first - now) / timedelta(minutes=1))) if first else 1)


def may_be_open(standing: Standing) -> bool:
    """Whether a slot is open that a claim passed over only because somebody was just taking it."""
    return standing.study_state == StudyState.RUNNING and _not_theirs(standing).filter(is_open=True).exists()


def _not_theirs(standing: Standing) -> QuerySet[Slot]:
    states = [
        AssignmentState.CLAIMED,
        AssignmentState.SUBMITTED,
        AssignmentState.SURPLUS,
        AssignmentState.RELEASED,
    ]
    theirs = Assignment.objects.filter(
        annotator_id=standing.annotator_id, comparison_id=OuterRef("comparison_id"), state__in=states
    )
    main = Slot.objects.filter(study_id=standing.study_id, comparison__kind=ComparisonKind.MAIN)
    return main.exclude(Exists(theirs))
