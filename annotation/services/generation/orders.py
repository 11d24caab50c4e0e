"""Place the units of one agent in a run: what is missing, and what each of them waits for."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import batched
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Count, F, QuerySet

from annotation.models import GenerationRun, GenerationUnit, Response, Stage
from annotation.services.generation.guidance import Guide, adopt, external_ids
from annotation.services.generation.recipes import AgentPlan, text_seed
from annotation.services.generation.tallies import Tallies
from annotation.states import UnitState

# Dialogues planned at a time: memory stays flat however many there are.
CHUNK = 1000

_GUIDE = """
UPDATE annotation_generationunit AS unit SET thinks_first_id = guide.first, skill_of_mind_id = guide.mind
FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[]) AS guide (id, first, mind) WHERE unit.id = guide.id
"""


class Failed(NamedTuple):
    """A failed unit with what it is for and with the model that it was sent to, as ids."""

    unit: int
    dialogue: int
    model: int


def fresh() -> dict[str, Any]:
    """Return the fields of a unit that is queued as if for the first time; its attempts stay counted."""
    return {"state": UnitState.QUEUED, "token": None, "batch": None, "losses": 0, "errors": 0} | {
        "reason": "",
        "not_before": None,
        "finished_at": None,
    }


@dataclass
class Order:
    """One agent on some dialogues in a run. `is_again` asks for new texts where there are current ones."""

    run: GenerationRun
    plan: AgentPlan
    dialogues: Sequence[int]
    tallies: Tallies
    is_again: bool = False
    rethinks: bool = False

    def __post_init__(self) -> None:
        self.guide = Guide(self.run, self.plan, self.dialogues, self.tallies, rethinks=self.rethinks)

    def place(self, samples: int) -> None:
        """Make the units of samples 0, 1, … that are missing."""
        for sample in range(samples):
            self.place_sample(sample)

    def place_sample(self, sample: int) -> None:
        """Make the missing units of one sample."""
        for chunk in batched(self.dialogues, CHUNK):
            self._place_chunk(chunk, sample)

    def place_again(self, failed: Sequence[Failed], sample: int) -> int:
        """Queue failed units again, or let them wait for their guidance. Returns how many."""
        return sum(self._place_chunk_again(chunk, sample) for chunk in batched(failed, CHUNK))

    def _place_chunk_again(self, failed: Sequence[Failed], sample: int) -> int:
        underway = self._underway([each.dialogue for each in failed], sample)
        retried = [each for each in failed if each.dialogue not in underway]
        guidance = self.guide.find([each.dialogue for each in retried], sample)
        for each in retried:
            # The agent may have another responder by now.
            self.tallies.add_to((self.run.pk, Stage.RESPOND, each.model), failed=-1, total=-1)
            self.tallies.add_to((self.run.pk, Stage.RESPOND, self.plan.model.pk), total=1)
        ids = [each.unit for each in retried]
        first = [guidance.pending.get(each.dialogue) for each in retried]
        minds = [guidance.ready.get(each.dialogue) for each in retried]
        again = GenerationUnit.objects.filter(pk__in=ids)
        ordered = {"model": self.plan.model, "settings_hash": self.plan.settings_hash, "state": UnitState.WAITING}
        again.update(**fresh() | ordered)
        with connection.cursor() as cursor:
            cursor.execute(_GUIDE, [ids, first, minds])
        again.filter(thinks_first=None).update(state=UnitState.QUEUED)
        return len(retried)

    def _place_chunk(self, chunk: Sequence[int], sample: int) -> None:
        # Open units are locked before responses are read: one that is recorded meanwhile shows up among these.
        underway = self._underway(chunk, sample)
        ready = set() if self.is_again else self._ready(chunk, sample)
        missing = [dialogue for dialogue in chunk if dialogue not in underway and dialogue not in ready]
        GenerationRun.objects.filter(pk=self.run.pk).update(reused=F("reused") + len(ready))
        units = self._units(missing, sample)
        guidance = self.guide.find(missing, sample)
        for unit in units:
            guidance.attach(unit)
            self.tallies.add(unit, total=1)
        GenerationUnit.objects.bulk_create(units)

    def _underway(self, chunk: Iterable[int], sample: int) -> set[int]:
        """Take over what another run is at work on; give up there what has other settings by now."""
        found = GenerationUnit.objects.filter(
            stage=Stage.RESPOND,
            agent=self.plan.agent,
            sample=sample,
            dialogue__in=list(chunk),
            state__in=UnitState.open(),
        )
        units = _locked(found)
        same = [unit for unit in units if unit.settings_hash == self.plan.settings_hash]
        awaited = GenerationUnit.objects.filter(followers__in=same, state__in=UnitState.open()).distinct("pk")
        adopt([*same, *_locked(awaited)], self.run, self.tallies)
        outdated = [unit for unit in units if unit.settings_hash != self.plan.settings_hash]
        GenerationUnit.objects.filter(pk__in=[unit.pk for unit in outdated]).update(
            state=UnitState.CANCELLED, token=None, reason="The agent's settings were changed."
        )
        for unit in outdated:
            self.tallies.add(unit, cancelled=1)
        return {unit.dialogue_id for unit in same}

    def _ready(self, chunk: Sequence[int], sample: int) -> set[int]:
        current = Response.objects.filter(
            agent=self.plan.agent,
            sample=sample,
            dialogue__in=chunk,
            is_current=True,
            settings_hash=self.plan.settings_hash,
        )
        return set(current.values_list("dialogue_id", flat=True))

    def _units(self, dialogues: Sequence[int], sample: int) -> list[GenerationUnit]:
        rounds = self._rounds(dialogues, sample) if self.is_again else {}
        return [
            GenerationUnit(
                run=self.run,
                model=self.plan.model,
                stage=Stage.RESPOND,
                agent=self.plan.agent,
                dialogue_id=dialogue,
                settings_hash=self.plan.settings_hash,
                sample=sample,
                seed=text_seed(self.plan.agent.seed, external, sample, rounds.get(dialogue, 0)),
            )
            for dialogue, external in external_ids(dialogues).items()
        ]

    def _rounds(self, dialogues: Sequence[int], sample: int) -> dict[int, int]:
        """How many responses there were: a new one gets a new seed."""
        earlier = Response.objects.filter(agent=self.plan.agent, sample=sample, dialogue__in=dialogues)
        return dict(earlier.order_by().values_list("dialogue_id").annotate(count=Count("pk")))


def _locked(units: QuerySet[GenerationUnit]) -> list[GenerationUnit]:
    """Lock these units, in the order of ids, as everyone does; those that ended meanwhile drop out."""
    ids = list(units.values_list("pk", flat=True))
    still_open = GenerationUnit.objects.filter(pk__in=ids, state__in=UnitState.open())
    return list(still_open.order_by("pk").select_for_update())
