"""A claim costs the same however many slots are open: pages of the database touched are counted, no time is taken."""

import json
import re

import pytest
from django.db import connection, transaction
from django.utils import timezone

from annotation.models import Annotator, Study
from annotation.services import claiming
from annotation.services.annotators import find_standing
from annotation.services.claiming import claim_next
from tests.build import make_annotator, make_criteria, make_matchup, make_study

pytestmark = pytest.mark.django_db

FEW, MANY = 1_000, 50_000
# Fifty times as many entries make each of a tree's ways down at most one page longer.
ONE_PAGE_MORE_A_WAY = 12
MOST_PAGES = 80

_FILL = [
    """
    INSERT INTO annotation_dialogue (collection_id, external_id, kind, social_context, turns, next_speaker, reference,
        reference_skills, language, tags, content_warning)
    SELECT %(collection)s, 'd' || n, '', '', '[]', 'Ana', '', '[]', 'en', '[]', ''
    FROM generate_series(1, %(comparisons)s) n
    """,
    """
    INSERT INTO annotation_comparison (study_id, matchup_id, dialogue_id, kind, code, excluded_reason, released_reason)
    SELECT %(study)s, %(matchup)s, d.id, 'main', gen_random_uuid(), '', ''
    FROM annotation_dialogue d WHERE d.collection_id = %(collection)s
    """,
    """
    INSERT INTO annotation_slot (comparison_id, study_id, dialogue_id, ordinal, treatment_side, rank, is_open)
    SELECT c.id, c.study_id, c.dialogue_id, layer, (%(sides)s::text[])[1 + (c.id + layer) %% 2],
           hashint8(c.id * 2 + layer) & 2147483647, true
    FROM annotation_comparison c, generate_series(0, 1) layer WHERE c.study_id = %(study)s
    """,
    "ANALYZE annotation_slot, annotation_comparison, annotation_assignment, annotation_annotator, annotation_study",
]


def make_wide_study(slots: int, sides: list[str]) -> Study:
    """A running study with so many open slots on these sides in turn; nobody ever reads its dialogues."""
    study = make_study(state="running", launched_at=timezone.now(), judgements_per_comparison=2)
    make_criteria(study)
    values = {"study": study.pk, "matchup": make_matchup(study).pk, "collection": study.collections.get().pk}
    values |= {"comparisons": slots // 2, "sides": sides}
    with connection.cursor() as cursor:
        for statement in _FILL:
            cursor.execute(statement, values)
    assert study.slots.filter(is_open=True).count() == slots
    return study


def statements_of_a_claim(annotator: Annotator, monkeypatch) -> list[tuple[str, dict]]:
    """What a claim asks of the database, in its order, with the values; the claim itself is undone."""
    asked, row = [], claiming.row

    def listen(statement, values):
        asked.append((statement, values))
        return row(statement, values)

    with monkeypatch.context() as patch, transaction.atomic():
        patch.setattr(claiming, "row", listen)
        claim_next(find_standing(annotator.study.code, annotator.code), now=timezone.now())
        transaction.set_rollback(True)
    return [(statement, values) for statement, values in asked if "INSERT INTO annotation_assignment" in statement]


def explain(statement: str, values: dict, *, mode: str) -> dict:
    """Run a statement as the server runs prepared ones, and return its plan with what it touched; undo it."""
    names = list(dict.fromkeys(re.findall(r"%\((\w+)\)s", statement)))
    text = re.sub(r"%\((\w+)\)s", lambda found: f"${names.index(found[1]) + 1}", statement)
    places = ", ".join(["%s"] * len(names))
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL plan_cache_mode = {mode}")
        cursor.execute(f"PREPARE measured AS {text}".replace("%", "%%"), [])
        cursor.execute(
            f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) EXECUTE measured ({places})", [values[name] for name in names]
        )
        (plan,) = cursor.fetchone()
        cursor.execute("DEALLOCATE measured")
        transaction.set_rollback(True)
    return (json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]


def nodes(plan: dict):
    yield plan
    for part in plan.get("Plans", []):
        yield from nodes(part)


def slot_scans(plans: list[dict]) -> list[dict]:
    """The parts of plans that look slots up."""
    found = [each for plan in plans for each in nodes(plan) if "Scan" in each["Node Type"]]
    return [each for each in found if each.get("Relation Name") == "annotation_slot"]


def pages(plan: dict) -> int:
    """How many pages a plan touched, in memory or on the disk."""
    return plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]


@pytest.mark.parametrize("mode", ["force_custom_plan", "force_generic_plan"])
@pytest.mark.parametrize(("sides", "looks"), [(["left", "right"], 1), (["left", "left"], 2)])
def test_a_claim_among_fifty_thousand_open_slots_touches_as_many_pages_as_among_a_thousand(
    sides, looks, mode, monkeypatch
):
    touched = []
    for slots in (FEW, MANY):
        study = make_wide_study(slots, sides)
        # Somebody who should see the treatment right next: without a slot of that side a second look is needed.
        asked = statements_of_a_claim(make_annotator(study, left_balance=1), monkeypatch)
        assert len(asked) == looks
        plans = [explain(*each, mode=mode) for each in asked]
        ways = {each["Node Type"] for each in slot_scans(plans)}
        assert "Index Scan" in ways
        assert "Seq Scan" not in ways
        touched.append(sum(map(pages, plans)))
    few, many = touched
    assert few <= MOST_PAGES
    assert many <= few + ONE_PAGE_MORE_A_WAY
