"""A study with very many judgements, made by the database itself: a million cost seconds, not minutes."""

from django.db import connection
from django.utils import timezone

from annotation.models import Study
from tests import build

# Each comparison has three slots, judged by three of the people; the treatment wins three of five decided answers.
_COMPARISONS = """
INSERT INTO annotation_comparison
    (study_id, matchup_id, dialogue_id, kind, code, excluded_reason, released_reason)
SELECT %(study)s, %(matchup)s, d.id, 'main', gen_random_uuid(), '', ''
FROM annotation_dialogue d WHERE d.collection_id = %(collection)s
"""
_SLOTS = """
INSERT INTO annotation_slot (comparison_id, study_id, dialogue_id, ordinal, treatment_side, rank, is_open)
SELECT c.id, c.study_id, c.dialogue_id, o, CASE WHEN (c.id + o) %% 2 = 0 THEN 'left' ELSE 'right' END, c.id, false
FROM annotation_comparison c, generate_series(0, 2) o WHERE c.study_id = %(study)s
"""
_ASSIGNMENTS = """
INSERT INTO annotation_assignment
    (slot_id, annotator_id, comparison_id, state, code, number, claimed_at, lease_until, submitted_at, draft)
SELECT s.id, %(first)s + (s.comparison_id * 7 + s.ordinal * 31) %% %(people)s, s.comparison_id, 'submitted',
    gen_random_uuid(), 1, now() - interval '1 minute', now(), now() - interval '20 seconds', '{}'
FROM annotation_slot s WHERE s.study_id = %(study)s
"""
_JUDGEMENTS = """
INSERT INTO annotation_judgement (assignment_id, criterion_id, outcome, treatment_side, reason)
SELECT a.id, q.id, (ARRAY['treatment', 'tie', 'baseline', 'treatment', 'baseline', 'treatment'])
    [1 + abs(hashint8(a.id * 3 + q.id)) %% 6], s.treatment_side, ''
FROM annotation_assignment a JOIN annotation_slot s ON s.id = a.slot_id, annotation_criterion q
WHERE s.study_id = %(study)s AND q.study_id = %(study)s
"""


def make_large_study(*, judgements: int, people: int = 300, **over) -> Study:
    """A running study with that many judgements or a few more, by so many people."""
    study = build.make_study(state="running", launched_at=timezone.now(), judgements_per_comparison=3, **over)
    criteria = len(build.make_criteria(study))
    matchup = build.make_matchup(study)
    first = min(build.make_annotator(study).pk for _ in range(people))
    dialogue = build.make_dialogue(collection=study.collections.get())
    columns = [field.column for field in dialogue._meta.concrete_fields if field.column not in ("id", "external_id")]
    named = ", ".join(f'"{column}"' for column in columns)
    copies = (
        f"INSERT INTO annotation_dialogue (external_id, {named}) SELECT 'copy-' || n, {named} "
        "FROM annotation_dialogue, generate_series(1, %(copies)s) n WHERE id = %(dialogue)s"
    )
    values = {
        "study": study.pk,
        "matchup": matchup.pk,
        "collection": study.collections.get().pk,
        "dialogue": dialogue.pk,
        "copies": judgements // (3 * criteria),
        "first": first,
        "people": people,
    }
    with connection.cursor() as cursor:
        for step in (copies, _COMPARISONS, _SLOTS, _ASSIGNMENTS, _JUDGEMENTS):
            cursor.execute(step, values)
        cursor.execute("ANALYZE")
    return study
