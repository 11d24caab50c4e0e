"""Put a gold or a repeated comparison into somebody's hands. Both have places of their own, made when they are due.

Such a place is never open: nobody else can be handed it, and a claim along the ring does not see it. Its ordinal is
the annotator's id, so each person has one place of each gold or repeated comparison. A repeat is a twin of the
comparison, made when the first person gets it; the sides are swapped against the first time.
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from annotation.allocation import preferred_side, ring_position
from annotation.checks import FIRST_REPEAT_AFTER, Special
from annotation.services.annotators import Held, Standing
from annotation.services.statements import row
from annotation.states import Side

_ME = """
me AS MATERIALIZED (
    SELECT a.study_id, a.submitted_count FROM annotation_annotator a JOIN annotation_study s ON s.id = a.study_id
    WHERE a.id = %(annotator)s AND a.exit = '' AND s.state = 'running' AND a.submitted_count < s.quota_per_annotator
)"""

_MAKE = """
place AS (
    INSERT INTO annotation_slot (comparison_id, study_id, dialogue_id, ordinal, treatment_side, rank, is_open)
    SELECT pick.comparison_id, me.study_id, pick.dialogue_id, %(annotator)s::int, pick.side, 0, false FROM pick, me
    ON CONFLICT (comparison_id, ordinal) DO UPDATE SET is_open = false
    RETURNING id, comparison_id, dialogue_id, treatment_side
), made AS (
    INSERT INTO annotation_assignment
        (slot_id, annotator_id, comparison_id, state, code, number, claimed_at, lease_until, draft)
    SELECT place.id, %(annotator)s, place.comparison_id, 'claimed', %(code)s, me.submitted_count + 1, %(now)s,
           %(lease_until)s, '{}'
    FROM place, me
    RETURNING id, number
)
SELECT made.id, made.number, place.comparison_id, place.dialogue_id, place.treatment_side FROM made, place
"""

_HAD = "('claimed', 'submitted', 'surplus', 'released')"

_GOLD = f"""
WITH {_ME}, pick AS MATERIALIZED (
    SELECT c.id AS comparison_id, c.dialogue_id, %(side)s AS side FROM annotation_comparison c, me
    WHERE c.study_id = me.study_id AND c.kind = 'gold' AND c.excluded_at IS NULL
      AND NOT EXISTS (
          SELECT 1 FROM annotation_assignment g
          WHERE g.annotator_id = %(annotator)s AND g.comparison_id = c.id AND g.state IN {_HAD})
    ORDER BY (c.id * 7919 + %(place)s) %% 10007, c.id LIMIT 1
), {_MAKE}"""  # noqa: S608 - put together from constants of this module

_REPEAT = f"""
WITH {_ME}, past AS MATERIALIZED (
    SELECT c.*, CASE l.treatment_side WHEN 'left' THEN 'right' ELSE 'left' END AS side
    FROM me, annotation_assignment g
    JOIN annotation_comparison c ON c.id = g.comparison_id
    JOIN annotation_slot l ON l.id = g.slot_id
    WHERE g.annotator_id = %(annotator)s AND g.state = 'submitted' AND c.kind = 'main' AND c.excluded_at IS NULL
      AND g.number <= me.submitted_count - %(gap)s
      AND NOT EXISTS (
          SELECT 1 FROM annotation_assignment o JOIN annotation_comparison t ON t.id = o.comparison_id
          WHERE o.annotator_id = %(annotator)s AND t.kind = 'repeat' AND t.matchup_id = c.matchup_id
            AND t.dialogue_id = c.dialogue_id AND o.state IN {_HAD})
    ORDER BY g.number LIMIT 1
), twin AS (
    INSERT INTO annotation_comparison (study_id, matchup_id, dialogue_id, baseline_response_id, treatment_response_id,
        kind, code, excluded_reason, released_reason)
    SELECT study_id, matchup_id, dialogue_id, baseline_response_id, treatment_response_id, 'repeat',
           gen_random_uuid(), '', ''
    FROM past
    ON CONFLICT (matchup_id, dialogue_id) WHERE kind = 'repeat' DO UPDATE SET kind = 'repeat'
    RETURNING id, dialogue_id
), pick AS MATERIALIZED (
    SELECT twin.id AS comparison_id, twin.dialogue_id, past.side FROM twin, past
), {_MAKE}"""  # noqa: S608 - put together from constants of this module


def claim_special(standing: Standing, special: Special, *, now: datetime) -> Held | None:
    """Hand out the gold or repeated comparison that is due, in one statement; None where there is none for them.

    Raises: IntegrityError if they hold a comparison.
    """
    number = standing.submitted_count + 1
    code, lease_until = uuid4(), now + timedelta(minutes=standing.lease_minutes)
    values: dict[str, Any] = {
        "annotator": standing.annotator_id,
        "code": code,
        "now": now,
        "lease_until": lease_until,
    }
    if special == Special.GOLD:
        values["side"] = preferred_side(standing.left_balance, seed=standing.seed, number=number)
        values["place"] = ring_position(standing.seed, 0)
        found = row(_GOLD, values)
    else:
        found = row(_REPEAT, values | {"gap": FIRST_REPEAT_AFTER})
    if found is None:
        return None
    pk, made_number, comparison, dialogue, shown = found
    return Held(pk, code, comparison, dialogue, Side(shown), made_number, lease_until, {})
