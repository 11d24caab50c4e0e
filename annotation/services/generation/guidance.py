"""Find or order the skill-of-mind that a response waits for: thought, drawn, fixed, or another dialogue's."""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count

from annotation.models import Dialogue, GenerationRun, GenerationUnit, SkillOfMind, Source, Stage
from annotation.services.generation.recipes import (
    AgentPlan,
    NotReady,
    ThinkPlan,
    digest,
    guidance_of,
    lacking_part,
    text_seed,
)
from annotation.services.generation.tallies import Tallies
from annotation.states import UnitState
from inference_worker.schema import SKILLS

# Outcomes of guidance that no model wrote; the others are those of the parser in the worker.
DRAWN = "drawn"
FIXED = "fixed"


@dataclass(frozen=True)
class Guidances:
    """What is there for which dialogue (ids of skills-of-mind), and what is awaited (ids of think units)."""

    ready: dict[int, int] = field(default_factory=dict)
    pending: dict[int, int] = field(default_factory=dict)

    def attach(self, unit: GenerationUnit) -> None:
        """Give a respond unit its guidance, or let it wait; an agent without an augmenter needs neither."""
        unit.skill_of_mind_id = self.ready.get(unit.dialogue_id)
        unit.thinks_first_id = self.pending.get(unit.dialogue_id)
        unit.state = UnitState.WAITING if unit.thinks_first_id else UnitState.QUEUED


@dataclass
class Guide:
    """Guidance for one agent's units in a run. `dialogues` are those that shuffled guidance comes from."""

    run: GenerationRun
    plan: AgentPlan
    dialogues: Sequence[int]
    tallies: Tallies
    rethinks: bool = False

    def find(self, dialogues: Sequence[int], sample: int) -> Guidances:
        """Return the guidance of these dialogues, and order what is missing."""
        think = self.plan.think
        if think is None or not dialogues:
            return Guidances()
        if think.model is None:
            return Guidances(ready=self._without_model(think, dialogues, sample))
        if think.augmenter.source == Source.SHUFFLED:
            return self._borrowed(think, dialogues, sample)
        return self._thoughts(think, dialogues, sample)

    def _without_model(self, think: ThinkPlan, dialogues: Sequence[int], sample: int) -> dict[int, int]:
        ready = _current(think.settings_hash, dialogues, sample)
        missing = [dialogue for dialogue in dialogues if dialogue not in ready]
        made = [_made_here(think, dialogue, external, sample) for dialogue, external in external_ids(missing).items()]
        SkillOfMind.objects.bulk_create(made)
        return ready | {each.dialogue_id: each.pk for each in made}

    def _thoughts(self, think: ThinkPlan, dialogues: Sequence[int], sample: int) -> Guidances:
        # Open units are locked before results are read: one that is recorded meanwhile shows up among these.
        pending = self._underway(think, dialogues, sample)
        others = [dialogue for dialogue in dialogues if dialogue not in pending]
        part = guidance_of(self.plan.agent.augmenter) if self.plan.agent.augmenter else None
        ready = {} if self.rethinks or part is None else _current(think.base_hash, others, sample, part)
        missing = [dialogue for dialogue in others if dialogue not in ready]
        return Guidances(ready, pending | self._order(think, missing, sample))

    def _borrowed(self, think: ThinkPlan, dialogues: Sequence[int], sample: int) -> Guidances:
        part = guidance_of(think.augmenter)
        ready = {} if self.rethinks else _current(think.settings_hash, dialogues, sample, part)
        lenders = {each: lender for each, lender in self._lenders(think).items() if each in set(dialogues) - set(ready)}
        theirs = self._thoughts(think, sorted(set(lenders.values())), sample)
        thoughts = SkillOfMind.objects.select_related("dialogue").in_bulk(theirs.ready.values())
        lent = {
            borrower: lend(thoughts[theirs.ready[lender]], borrower, think.settings_hash).pk
            for borrower, lender in lenders.items()
            if lender in theirs.ready
        }
        pending = {each: theirs.pending[lender] for each, lender in lenders.items() if lender in theirs.pending}
        return Guidances(ready | lent, pending)

    def _lenders(self, think: ThinkPlan) -> dict[int, int]:
        """Every dialogue borrows from the next one on a ring drawn with the augmenter's seed, never from itself."""
        names = external_ids(self.dialogues)
        if len(names) < 2:
            names = dict(
                Dialogue.objects.filter(collection__dialogues__in=self.dialogues).values_list("pk", "external_id")
            )
        if len(names) < 2:
            raise NotReady(f"{think.augmenter} takes guidance from another dialogue: at least two are needed.")
        ring = sorted(names, key=lambda dialogue: digest([think.augmenter.seed, names[dialogue], dialogue]))
        return dict(zip(ring, ring[1:] + ring[:1], strict=True))

    def _underway(self, think: ThinkPlan, dialogues: Sequence[int], sample: int) -> dict[int, int]:
        """Take over the think units that other runs are at work on."""
        found = GenerationUnit.objects.filter(
            stage=Stage.THINK,
            settings_hash=think.base_hash,
            sample=sample,
            dialogue__in=list(dialogues),
            state__in=UnitState.open(),
        )
        units = list(found.order_by("pk").select_for_update())
        adopt(units, self.run, self.tallies)
        return {unit.dialogue_id: unit.pk for unit in units}

    def _order(self, think: ThinkPlan, dialogues: Sequence[int], sample: int) -> dict[int, int]:
        earlier = SkillOfMind.objects.filter(settings_hash=think.base_hash, sample=sample, dialogue__in=dialogues)
        rounds = dict(earlier.values_list("dialogue_id").annotate(count=Count("pk")))
        units = [
            GenerationUnit(
                run=self.run,
                stage=Stage.THINK,
                state=UnitState.QUEUED,
                model=think.model,
                augmenter=think.augmenter,
                dialogue_id=dialogue,
                settings_hash=think.base_hash,
                sample=sample,
                seed=text_seed(think.augmenter.seed, external, sample, rounds.get(dialogue, 0)),
            )
            for dialogue, external in external_ids(dialogues).items()
        ]
        for unit in units:
            self.tallies.add(unit, total=1)
        GenerationUnit.objects.bulk_create(units)
        return {unit.dialogue_id: unit.pk for unit in units}


def lend(thought: SkillOfMind, dialogue: int, settings_hash: str) -> SkillOfMind:
    """Return the copy of a thought that stands for another dialogue, made on first use.

    A copy of an earlier thought stays, no longer current.
    """
    same = SkillOfMind.objects.filter(
        dialogue=dialogue, settings_hash=settings_hash, sample=thought.sample, is_current=True
    )
    there = same.select_for_update().first()
    if there is not None and there.provenance.get("taken_from", {}).get("skill_of_mind") == thought.pk:
        return there
    same.update(is_current=False)
    taken_from = {"skill_of_mind": thought.pk, "dialogue": thought.dialogue.external_id}
    return SkillOfMind.objects.create(
        dialogue_id=dialogue,
        settings_hash=settings_hash,
        sample=thought.sample,
        explanation=thought.explanation,
        skill=thought.skill,
        nearest_skill=thought.nearest_skill,
        outcome=thought.outcome,
        raw_text=thought.raw_text,
        provenance={**thought.provenance, "taken_from": taken_from},
    )


def adopt(units: Iterable[GenerationUnit], run: GenerationRun, tallies: Tallies) -> None:
    """Move open units of other runs to this one."""
    moved = [unit for unit in units if unit.run_id != run.pk]
    for unit in moved:
        tallies.add(unit, total=-1)
        unit.run = run
        tallies.add(unit, total=1)
    GenerationUnit.objects.filter(pk__in=[unit.pk for unit in moved]).update(run=run)


def external_ids(dialogues: Iterable[int]) -> dict[int, str]:
    """Return the imported ids of dialogues, in the order of their own ids: seeds are made from them."""
    found = Dialogue.objects.filter(pk__in=list(dialogues)).order_by("pk")
    return dict(found.values_list("pk", "external_id"))


def _current(settings_hash: str, dialogues: Sequence[int], sample: int, part: Any = None) -> dict[int, int]:
    """Return the current skills-of-mind that hold the part that is needed."""
    found = SkillOfMind.objects.filter(
        settings_hash=settings_hash, sample=sample, dialogue__in=dialogues, is_current=True
    )
    return {
        each.dialogue_id: each.pk
        for each in found.only("dialogue_id", "explanation", "skill")
        if part is None or not lacking_part(part, explanation=each.explanation, skill=each.skill)
    }


def _made_here(think: ThinkPlan, dialogue: int, external_id: str, sample: int) -> SkillOfMind:
    """Return guidance that needs no model: the fixed skill, or one drawn with a seed of its own."""
    augmenter = think.augmenter
    seed = text_seed(augmenter.seed, external_id, sample, 0)
    is_drawn = augmenter.source == Source.RANDOM
    drawn = random.Random(seed).choice(SKILLS)  # noqa: S311 - a draw to repeat, not a secret
    return SkillOfMind(
        dialogue_id=dialogue,
        settings_hash=think.settings_hash,
        sample=sample,
        skill=drawn if is_drawn else augmenter.fixed_skill,
        outcome=DRAWN if is_drawn else FIXED,
        provenance={"source": augmenter.source, "seed": seed},
    )
