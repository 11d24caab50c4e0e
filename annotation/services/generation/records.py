"""Take what workers send back: the first record with a valid token wins, whatever comes later changes nothing."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import OuterRef, Subquery

from annotation.models import Agent, GenerationUnit, Response, RunCount, SkillOfMind, Source, Stage
from annotation.quality import Checked, check, storable
from annotation.services.checking import context_of
from annotation.services.generation.endings import MAX_ERRORS, fail, pause_seconds
from annotation.services.generation.guidance import lend
from annotation.services.generation.recipes import AgentPlan, guidance_of, lacking_part, plan_agent
from annotation.services.generation.tallies import Tallies
from annotation.states import UnitState
from inference_worker.schema import Provenance, Record, Records, to_json

# The engines' word for "the token limit ended the text".
CUT_OFF = "length"
NO_THOUGHT = "The worker sent no parsed skill-of-mind."
LARGEST_ID = 2**63 - 1
# Nobody spends more on one text.
MOST_TOKENS, MOST_MILLISECONDS = 10**7, 24 * 3600 * 1000
PLACEHOLDER = re.compile(r"\{\w+\}")


def record(records: Records, *, now: datetime) -> set[int]:
    """Store the texts of a batch and queue what waited for them. Returns the ids of models that have work now.

    Records of units that ended, and records with another token than the unit's present one, are passed over.
    """
    with transaction.atomic():
        units = _claim(records.records)
        recorder = _Recorder(worker=records.worker, batch=records.batch, now=now)
        for each in records.records:
            unit = units.pop(each.unit, None)
            if unit is not None:
                recorder.take(unit, each)
        recorder.write()
        return recorder.models


def _claim(records: Sequence[Record]) -> dict[int, GenerationUnit]:
    """Lock the units that still wait for these very records.

    A unit whose lease ran out keeps its token until it is sent again, so a record that was only late is welcome.
    """
    tokens = {each.unit: token for each in records if 0 < each.unit <= LARGEST_ID and (token := _uuid(each.token))}
    waiting = GenerationUnit.objects.filter(
        pk__in=list(tokens), token__in=set(tokens.values()), state__in=[UnitState.SENT, UnitState.QUEUED]
    )
    locked = waiting.order_by("pk").select_for_update(of=["self"]).select_related("dialogue", "skill_of_mind")
    # Joined, every unit would build its agent anew; looked up, a message's units share the few there are.
    locked = locked.prefetch_related("agent")
    return {unit.pk: unit for unit in locked if unit.token == tokens[unit.pk]}


@dataclass
class _Recorder:
    """The rows to write for one message, gathered first so that they are few statements."""

    worker: str
    batch: str
    now: datetime
    tallies: Tallies = field(default_factory=Tallies)
    models: set[int] = field(default_factory=set)
    done: list[int] = field(default_factory=list)
    responses: list[Response] = field(default_factory=list)
    thoughts: dict[int, SkillOfMind] = field(default_factory=dict)
    plans: dict[int | None, AgentPlan] = field(default_factory=dict)

    def take(self, unit: GenerationUnit, each: Record) -> None:
        """Sort a record: handed back, an error, a thought or a response."""
        self.models.add(unit.model_id)
        if each.handed_back:
            self._take_back(unit)
            return
        error = storable(each.error) or ("" if each.provenance else "The worker sent no provenance.")
        if unit.stage == Stage.THINK and not each.thought:
            error = error or NO_THOUGHT
        if error or each.provenance is None:
            self._take_error(unit, error[:2000], can_retry=each.can_retry)
            return
        self.tallies.add(unit, done=1, **_spent(each.provenance))
        if unit.stage == Stage.THINK:
            thought = self._thought(unit, each)
            self.tallies.found(unit.run_id, RunCount.Subject.OUTCOME, thought.outcome)
            self.thoughts[unit.pk] = thought
        else:
            response = self._response(unit, each, each.provenance)
            for flag in response.flags:
                self.tallies.found(unit.run_id, RunCount.Subject.FLAG, flag)
            self.done.append(unit.pk)
            self.responses.append(response)

    def write(self) -> None:
        """Write all rows, and queue the units that waited for a thought."""
        _replace(Response.objects, self.responses, "agent_id")
        _replace(SkillOfMind.objects, list(self.thoughts.values()), "settings_hash")
        ended = {"state": UnitState.DONE, "token": None, "reason": "", "finished_at": self.now}
        GenerationUnit.objects.filter(pk__in=self.done).update(**ended)
        if self.thoughts:
            GenerationUnit.objects.filter(pk__in=self.thoughts).update(**ended, skill_of_mind=_CURRENT_THOUGHT)
            self._release_followers()
        self.tallies.write(now=self.now)

    def _take_back(self, unit: GenerationUnit) -> None:
        """Queue again what a worker gave back because it was told to stop: nothing went wrong with it."""
        GenerationUnit.objects.filter(pk=unit.pk).update(state=UnitState.QUEUED, token=None)

    def _take_error(self, unit: GenerationUnit, error: str, *, can_retry: bool) -> None:
        if not can_retry or unit.errors + 1 >= MAX_ERRORS:
            fail([unit.pk], reason=error, tallies=self.tallies, now=self.now)
            return
        GenerationUnit.objects.filter(pk=unit.pk).update(
            state=UnitState.QUEUED,
            token=None,
            errors=unit.errors + 1,
            reason=error,
            not_before=self.now + timedelta(seconds=pause_seconds(unit.errors + 1)),
        )

    def _thought(self, unit: GenerationUnit, each: Record) -> SkillOfMind:
        thought = each.thought
        assert thought is not None
        return SkillOfMind(
            dialogue_id=unit.dialogue_id,
            settings_hash=unit.settings_hash,
            sample=unit.sample,
            explanation=storable(thought.explanation),
            skill=storable(thought.skill)[:200],
            nearest_skill=storable(thought.nearest_skill)[:60],
            outcome=storable(thought.outcome)[:30],
            raw_text=storable(each.text),
            provenance=self._provenance(unit, each.provenance),
        )

    def _response(self, unit: GenerationUnit, each: Record, provenance: Provenance) -> Response:
        assert unit.agent is not None
        checked = self._check(unit, each.text, is_cut_off=provenance.finish_reason == CUT_OFF)
        return Response(
            dialogue_id=unit.dialogue_id,
            agent=unit.agent,
            sample=unit.sample,
            text=checked.text,
            raw_text=storable(each.text),
            flags=[flag.value for flag in checked.flags],
            settings_hash=unit.settings_hash,
            skill_of_mind_id=unit.skill_of_mind_id,
            provenance=self._provenance(unit, provenance),
        )

    def _check(self, unit: GenerationUnit, text: str, *, is_cut_off: bool) -> Checked:
        plan = self._plan(unit)
        context = context_of(
            unit.dialogue,
            instructions=PLACEHOLDER.sub(" ", f"{plan.recipe.system} {plan.recipe.user}"),
            explanation=unit.skill_of_mind.explanation if unit.skill_of_mind else "",
        )
        return check(text, context=context, cut_off=is_cut_off, keeps_full_sentences=plan.agent.keeps_full_sentences)

    def _plan(self, unit: GenerationUnit) -> AgentPlan:
        assert unit.agent is not None
        if unit.agent_id not in self.plans:
            self.plans[unit.agent_id] = plan_agent(unit.agent)
        return self.plans[unit.agent_id]

    def _provenance(self, unit: GenerationUnit, provenance: Provenance | None) -> dict[str, Any]:
        ours = {"worker": self.worker, "batch": self.batch, "attempt": unit.attempt, "unit": unit.pk}
        stored: dict[str, Any] = _clean({**to_json(provenance), **ours})
        return stored

    def _release_followers(self) -> None:
        """Queue what waited for these thoughts; where one lacks what a follower needs, that one fails and says so."""
        followers = GenerationUnit.objects.filter(thinks_first__in=self.thoughts, state=UnitState.WAITING)
        ready: list[int] = []
        for follower in followers.order_by("pk").select_for_update(of=["self"]).select_related("agent__augmenter"):
            thought = self.thoughts[follower.thinks_first_id or 0]
            if part := _lacks(follower, thought):
                reason = f"Its skill-of-mind has no {part} (outcome: {thought.outcome})."
                fail([follower.pk], reason=reason, tallies=self.tallies, now=self.now)
            elif _borrows(follower.agent):
                lent = self._lent(follower, thought)
                GenerationUnit.objects.filter(pk=follower.pk).update(state=UnitState.QUEUED, skill_of_mind=lent)
                self.models.add(follower.model_id)
            else:
                ready.append(follower.pk)
                self.models.add(follower.model_id)
        GenerationUnit.objects.filter(pk__in=ready).update(state=UnitState.QUEUED, skill_of_mind=_THOUGHT_OF_FIRST)

    def _lent(self, follower: GenerationUnit, thought: SkillOfMind) -> SkillOfMind:
        plan = self._plan(follower)
        assert plan.think is not None
        return lend(thought, follower.dialogue_id, plan.think.settings_hash)


_CURRENT_THOUGHT = Subquery(
    SkillOfMind.objects.filter(
        dialogue=OuterRef("dialogue"),
        settings_hash=OuterRef("settings_hash"),
        sample=OuterRef("sample"),
        is_current=True,
    ).values("pk")[:1]
)
_THOUGHT_OF_FIRST = Subquery(GenerationUnit.objects.filter(pk=OuterRef("thinks_first")).values("skill_of_mind")[:1])


def _spent(provenance: Provenance) -> dict[str, int]:
    """Return what a text cost, within what can be: a column of sums must survive a worker that counts wrongly."""
    milliseconds = provenance.engine_milliseconds if math.isfinite(provenance.engine_milliseconds) else 0
    return {
        "prompt_tokens": min(max(0, provenance.prompt_tokens), MOST_TOKENS),
        "completion_tokens": min(max(0, provenance.completion_tokens), MOST_TOKENS),
        "engine_microseconds": round(min(max(0, milliseconds), MOST_MILLISECONDS) * 1000),
    }


def _lacks(follower: GenerationUnit, thought: SkillOfMind) -> str:
    """Name the part of the thought that the follower needs and that is not there."""
    assert follower.agent is not None
    assert follower.agent.augmenter is not None
    guidance = guidance_of(follower.agent.augmenter)
    return lacking_part(guidance, explanation=thought.explanation, skill=thought.skill)


def _borrows(agent: Agent | None) -> bool:
    return bool(agent and agent.augmenter and agent.augmenter.source == Source.SHUFFLED)


def _replace(manager: Any, rows: Sequence[Any], key: str) -> None:
    """Insert rows as the current ones of their dialogue, key and sample; those before them stay, no longer current."""
    if not rows:
        return
    groups: dict[tuple[Any, int], list[int]] = {}
    for row in rows:
        groups.setdefault((getattr(row, key), row.sample), []).append(row.dialogue_id)
    for (value, sample), dialogues in groups.items():
        same = manager.filter(dialogue__in=dialogues, sample=sample, is_current=True, **{key: value})
        same.update(is_current=False)
    manager.bulk_create(rows)


def _clean(value: Any) -> Any:
    """Return a value that the database's JSON can hold: no NUL, no half characters, no infinite numbers."""
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, dict):
        return {storable(str(name)): _clean(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _uuid(word: str) -> UUID | None:
    try:
        return UUID(word)
    except ValueError:
        return None
