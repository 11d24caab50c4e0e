"""A database with a running study and as many judgements as asked for, made in bulk: the ground of the web bench."""

import random
from dataclasses import dataclass

from django.db import connection
from django.utils import timezone

from annotation.criteria import USUAL_CRITERIA
from annotation.models import Agent, Collection, Criterion, Dialogue, Matchup, Response, Study
from annotation.services.studies import launch, prepare_comparisons

WORDS = (  # noqa: SIM905 - a text reads better as a text
    "maybe we could talk about it over a cup of tea because you sounded tired on the phone and I would like to know "
    "how the week went before the others come back from the station with all their bags and that noisy little dog"
).split()


@dataclass(frozen=True)
class Size:
    """How much there is: open comparisons to judge, and judgements stored before the clock starts."""

    comparisons: int
    k: int = 3
    stored: int = 0
    quota: int = 1_000_000

    @property
    def filled_comparisons(self) -> int:
        """Comparisons that hold the stored judgements, three criteria each."""
        return -(-self.stored // (self.k * len(USUAL_CRITERIA)))


def sentence(rng: random.Random, words: int) -> str:
    return " ".join(rng.choices(WORDS, k=words)).capitalize() + "."


def make_study(size: Size, *, seed: int = 1) -> Study:
    """Launch a study of usual comparisons: six turns, two responses of 60 words, three criteria."""
    rng = random.Random(seed)
    collection = Collection.objects.create(name=f"Bench {rng.random()}")
    study = Study.objects.create(
        name="Bench",
        title="Which reply is better?",
        judgements_per_comparison=size.k,
        quota_per_annotator=size.quota,
        instructions="Read the conversation and both replies.",
        consent_text="You may stop at any time.",
        seed=seed,
    )
    study.collections.add(collection)
    for position, criterion in enumerate(USUAL_CRITERIA):
        Criterion.objects.create(study=study, position=position, **vars(criterion))
    agents = [Agent.objects.create(name=f"Bench agent {letter} {rng.random()}") for letter in "AB"]
    Matchup.objects.create(study=study, baseline=agents[0], treatment=agents[1])
    _make_dialogues(collection, agents, size.comparisons + size.filled_comparisons, rng)
    prepare_comparisons(study)
    launch(study, actor=None, now=timezone.now())
    if size.stored:
        _store_judgements(study, size.filled_comparisons)
    # As a study with a history would be. A fresh one is not: analysed while empty, its kept plans would suit no rows.
    if size.stored:
        _vacuum()
    return study


def _make_dialogues(collection: Collection, agents: list[Agent], count: int, rng: random.Random) -> None:
    contexts = Dialogue.objects.bulk_create(
        (
            Dialogue(
                collection=collection,
                external_id=str(n),
                kind=f"kind {n % 6}",
                social_context=sentence(rng, 30),
                turns=[{"speaker": "Ana" if turn % 2 else "Ben", "text": sentence(rng, 15)} for turn in range(6)],
                next_speaker="Ben",
            )
            for n in range(count)
        ),
        batch_size=2000,
    )
    for agent in agents:
        Response.objects.bulk_create(
            (Response(dialogue=dialogue, agent=agent, text=sentence(rng, 60)) for dialogue in contexts),
            batch_size=2000,
        )


_PEOPLE = 100

_FILL = [
    """
    INSERT INTO annotation_annotator (study_id, code, pseudonym, platform, platform_hash, is_simulated,
        consent_version, consent_sha256, consented_at, seed, left_balance, submitted_count, exit, completion_code,
        excluded_reason, feedback, message_seen)
    SELECT %(study)s, gen_random_uuid(), 'stored ' || n, 'open', '', true, '1', '', now(), n, 0, 0, '', '', '', '', 0
    FROM generate_series(1, %(people)s) n
    """,
    """
    INSERT INTO annotation_assignment (slot_id, annotator_id, comparison_id, state, code, number, claimed_at,
        lease_until, submitted_at, draft)
    SELECT l.id, a.id, l.comparison_id, 'submitted', gen_random_uuid(), 1, now(), now(), now(), '{}'
    FROM (SELECT *, dense_rank() OVER (ORDER BY comparison_id) AS place FROM annotation_slot
          WHERE study_id = %(study)s) l
    JOIN (SELECT id, row_number() OVER (ORDER BY id) - 1 AS place FROM annotation_annotator
          WHERE study_id = %(study)s) a ON a.place = (l.place + l.ordinal) %% %(people)s
    WHERE l.place <= %(filled)s
    """,
    """
    INSERT INTO annotation_judgement (assignment_id, criterion_id, outcome, treatment_side, reason)
    SELECT g.id, c.id, (ARRAY['treatment', 'tie', 'baseline'])[1 + (g.id + c.id) %% 3], l.treatment_side, ''
    FROM annotation_assignment g
    JOIN annotation_slot l ON l.id = g.slot_id AND l.study_id = %(study)s
    JOIN annotation_criterion c ON c.study_id = %(study)s
    """,
    """
    UPDATE annotation_slot l SET is_open = false FROM annotation_assignment g
    WHERE g.slot_id = l.id AND l.study_id = %(study)s
    """,
]


def _store_judgements(study: Study, filled: int) -> None:
    with connection.cursor() as cursor:
        for statement in _FILL:
            cursor.execute(statement, {"study": study.pk, "people": _PEOPLE, "filled": filled})


def _vacuum() -> None:
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("CHECKPOINT")
