"""Studies that look real: agents of different strength, annotators who differ, kinds, skills and languages. Seeded."""

import math
import random
from collections.abc import Sequence
from datetime import timedelta
from itertools import combinations

from django.utils import timezone

from annotation.models import (
    Agent,
    Annotator,
    Assignment,
    Comparison,
    Dialogue,
    Judgement,
    Response,
    SkillOfMind,
    Slot,
    Study,
)
from annotation.states import AssignmentState, ComparisonKind, Outcome, Side, StudyState
from tests import build

KINDS = (
    "empathy",
    "counselling",
    "persona and memory",
    "prosocial request",
    "small talk",
    "cultural difference",
    "task-oriented",
    "negotiation",
)
SKILLS = ("Empathy", "Active Listening", "Clarification", "Memory Recall", "Critical Thinking", "Recommendation")
NAMES = ("Heron", "Juniper", "Basalt", "Marigold", "Otter", "Thistle", "Wren", "Alder")
# Log-odds of one agent's strength on each of the usual criteria.
ALONE_AND_GUIDED = {"Gemma 3 12B alone": (0.0, 0.0, 0.0), "Gemma 3 12B with Thanos 8B": (0.9, 0.75, 0.1)}
FOUR_AGENTS = {
    "Gemma 3 12B alone": (0.0, 0.0, 0.0),
    "Gemma 3 12B with Thanos 8B": (0.9, 0.7, 0.2),
    "Llama 3.1 8B alone": (-0.3, -0.4, 0.0),
    "Llama 3.1 8B with Thanos 8B": (0.4, 0.5, 0.1),
}
THREE_AGENTS = dict(list(FOUR_AGENTS.items())[:3])


def make_simulated_study(
    *,
    agents: dict[str, Sequence[float]] = ALONE_AND_GUIDED,
    dialogues: int = 60,
    k: int = 3,
    annotators: int = 24,
    kinds: int = 8,
    annotator_sd: float = 0.3,
    judged: float = 1.0,
    repeats: int = 0,
    seed: int = 5,
    **over,
) -> Study:
    """A study judged by simulated people. `judged`: share of its slots that are filled · `repeats`: comparisons shown
    to the first annotators a second time."""
    rng = random.Random(seed)
    study = build.make_study(
        **{"state": StudyState.RUNNING, "launched_at": timezone.now(), "judgements_per_comparison": k} | over
    )
    criteria = build.make_criteria(study)
    people = [build.make_annotator(study, pseudonym=f"{NAMES[n % len(NAMES)]} {n + 1:02}") for n in range(annotators)]
    leanings = [[rng.gauss(0, annotator_sd) for _ in criteria] for _ in people]
    comparisons = _comparisons(study, agents, _dialogues(study, dialogues, kinds, rng), rng)
    slots = _slots(comparisons, k, annotators)
    filled = slots[: round(judged * len(slots))]
    pairs = {c.pk: (c.matchup.treatment.name, c.matchup.baseline.name) for c in comparisons}
    moods = {c.pk: [rng.gauss(0, 1.2) for _ in criteria] for c in comparisons}
    chances = [
        [
            agents[pairs[slot.comparison_id][0]][at]
            - agents[pairs[slot.comparison_id][1]][at]
            + moods[slot.comparison_id][at]
            + leanings[_person(slot, annotators)][at]
            + (0.15 if slot.treatment_side == Side.LEFT else -0.15)
            for at in range(len(criteria))
        ]
        for slot in filled
    ]
    outcomes = [[_outcome(chance, rng) for chance in row] for row in chances]
    _judge(study, people, filled, outcomes, rng)
    if repeats:
        _repeat(study, people, comparisons[:repeats], rng)
    return study


def _dialogues(study: Study, n: int, kinds: int, rng: random.Random) -> list[Dialogue]:
    collections = [build.make_collection(name=f"{name} {study.pk}") for name in ("Everyday talk", "Support lines")]
    study.collections.set(collections)
    return Dialogue.objects.bulk_create(
        Dialogue(
            collection=collections[number % 2],
            external_id=f"talk-{number:04}",
            kind=KINDS[number % kinds],
            language="de" if number % 5 == 0 else "en",
            turns=build.TURNS,
            next_speaker="Ana",
        )
        for number in range(n)
    )


def _comparisons(study: Study, agents, dialogues: list[Dialogue], rng: random.Random) -> list[Comparison]:
    made = {name: Agent.objects.filter(name=name).first() or build.make_agent(name=name) for name in agents}
    thoughts = SkillOfMind.objects.bulk_create(
        SkillOfMind(
            dialogue=d, explanation="Ana is sad.", skill=rng.choice(SKILLS), outcome="ok", settings_hash="0" * 64
        )
        for d in dialogues
    )
    found = []
    for baseline, treatment in combinations(agents, 2):
        matchup = build.make_matchup(study, baseline=made[baseline], treatment=made[treatment])
        responses = [
            _responses(dialogues, made[name], thoughts if "with" in name else None, rng)
            for name in (baseline, treatment)
        ]
        found += Comparison.objects.bulk_create(
            Comparison(study=study, matchup=matchup, dialogue=d, baseline_response=a, treatment_response=b)
            for d, a, b in zip(dialogues, *responses, strict=True)
        )
    return found


def _responses(dialogues: list[Dialogue], agent, thoughts, rng: random.Random) -> list[Response]:
    written = {response.dialogue_id: response for response in Response.objects.filter(agent=agent)}
    if dialogues[0].pk in written:
        return [written[d.pk] for d in dialogues]
    return Response.objects.bulk_create(
        Response(
            dialogue=d,
            agent=agent,
            text=" ".join(["word"] * rng.randint(12, 50)),
            provenance={"model": "m", "seed": 1},
            skill_of_mind=thoughts[place] if thoughts else None,
        )
        for place, d in enumerate(dialogues)
    )


def _slots(comparisons: list[Comparison], k: int, annotators: int) -> list[Slot]:
    """Breadth first, as they are handed out."""
    return Slot.objects.bulk_create(
        Slot(
            comparison=c,
            study=c.study,
            dialogue_id=c.dialogue_id,
            ordinal=ordinal,
            treatment_side=Side.LEFT if (ordinal + place // annotators) % 2 else Side.RIGHT,
            rank=place,
        )
        for ordinal in range(k)
        for place, c in enumerate(comparisons)
    )


def _person(slot: Slot, annotators: int) -> int:
    """Who judges it: somebody else for every slot of a comparison, on either side about equally often."""
    return (slot.rank + slot.ordinal) % annotators


def _outcome(log_odds: float, rng: random.Random) -> Outcome:
    if rng.random() < 0.22:
        return Outcome.TIE
    return Outcome.TREATMENT if rng.random() < 1 / (1 + math.exp(-log_odds)) else Outcome.BASELINE


def _judge(
    study: Study, people: list[Annotator], slots: list[Slot], outcomes, rng: random.Random, again: int = 0
) -> None:
    """Fill slots in turn; the last annotator is hurried and always says the same."""
    start = timezone.now() - timedelta(days=2)
    numbers: dict[int, int] = {}
    assignments = []
    for place, slot in enumerate(slots):
        person = people[_person(slot, len(people))]
        numbers[person.pk] = numbers.get(person.pk, again) + 1
        is_hurried = person is people[-1] and len(people) > 5
        came = start + timedelta(seconds=40 * place)
        spent = rng.uniform(2, 5) if is_hurried else rng.lognormvariate(3.6, 0.4)
        assignments.append(
            Assignment(
                slot=slot,
                comparison=slot.comparison,
                annotator=person,
                number=numbers[person.pk],
                state=AssignmentState.SUBMITTED,
                claimed_at=came,
                lease_until=came + timedelta(minutes=20),
                submitted_at=came + timedelta(seconds=spent),
            )
        )
    Assignment.objects.bulk_create(assignments)
    criteria = list(study.criteria.all())
    Judgement.objects.bulk_create(
        Judgement(
            assignment=assignment,
            criterion=criterion,
            outcome=_same_side(slot) if assignment.annotator_id == people[-1].pk and len(people) > 5 else row[at],
            treatment_side=slot.treatment_side,
        )
        for assignment, slot, row in zip(assignments, slots, outcomes, strict=True)
        for at, criterion in enumerate(criteria)
    )
    Slot.objects.filter(pk__in=[slot.pk for slot in slots]).update(is_open=False)


def _same_side(slot: Slot) -> Outcome:
    """Always left."""
    return Outcome.TREATMENT if slot.treatment_side == Side.LEFT else Outcome.BASELINE


def _repeat(study: Study, people: list[Annotator], comparisons: list[Comparison], rng: random.Random) -> None:
    """Show comparisons again to those who judged them first; four of five answers stay the same."""
    copies, slots, who, outcomes = [], [], [], []
    for comparison in comparisons:
        first = comparison.assignments.order_by("pk").first()
        copies.append(
            Comparison(
                study=study,
                matchup=comparison.matchup,
                dialogue=comparison.dialogue,
                kind=ComparisonKind.REPEAT,
                baseline_response=comparison.baseline_response,
                treatment_response=comparison.treatment_response,
            )
        )
        who.append(first.annotator)
        said = list(first.judgements.order_by("criterion__position").values_list("outcome", flat=True))
        outcomes.append([each if rng.random() < 0.8 else Outcome.TIE for each in said])
    copies = Comparison.objects.bulk_create(copies)
    slots = _slots(copies, 1, 1)
    for slot, person, row in zip(slots, who, outcomes, strict=True):
        build.judge(slot, person, row)
