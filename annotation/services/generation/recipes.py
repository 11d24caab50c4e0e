"""From the registry to what a worker needs: recipes, the hashes that name equal settings, and the seeds of texts."""

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from annotation.errors import DuologueError
from annotation.models import Agent, Augmenter, Guidance, LanguageModel, PromptSet, Source
from inference_worker.schema import (
    READ_RATIONALE,
    READ_SKILL_OF_MIND,
    RESPOND,
    SKILLS,
    THINK,
    ModelSpec,
    Recipe,
    Sampling,
    to_json,
)

THINK_ROLES = {Source.THANOS: "think", Source.OWN: "own_skill", Source.DOCTOR: "doctor", Source.SHUFFLED: "think"}
# A prompt set may have a template of its own for answering to a chain of thought.
DOCTOR_ROLE = "doctor_respond"
# Engines take 32-bit seeds, some of them signed.
SEED_BITS = 31


class NotReady(DuologueError):
    """An agent or augmenter lacks something without which nothing can be generated."""


@dataclass(frozen=True)
class ThinkPlan:
    """How an augmenter comes to its skill-of-mind for one responder.

    `model` is None where no model thinks (a random or fixed skill). Guidance of another dialogue is first thought there
    under `base_hash`, then stored for this dialogue under `settings_hash`; for all others the two are the same.
    """

    augmenter: Augmenter
    model: LanguageModel | None
    recipe: Recipe | None

    @cached_property
    def base_hash(self) -> str:
        return digest(self._settings())

    @cached_property
    def settings_hash(self) -> str:
        if self.augmenter.source == Source.SHUFFLED:
            return digest({"shuffled": self.base_hash, "seed": self.augmenter.seed})
        return self.base_hash

    def _settings(self) -> dict[str, Any]:
        if self.model is None or self.recipe is None:
            fixed = self.augmenter.fixed_skill
            return {"source": self.augmenter.source, "fixed": fixed, "seed": self.augmenter.seed}
        return {"model": identity(self.model), "recipe": to_json(self.recipe), "seed": self.augmenter.seed}


@dataclass(frozen=True)
class AgentPlan:
    """What an agent does to a dialogue, with the hash that names all of it."""

    agent: Agent
    model: LanguageModel
    recipe: Recipe
    think: ThinkPlan | None

    @cached_property
    def settings_hash(self) -> str:
        return digest(
            {
                "model": identity(self.model),
                "recipe": to_json(self.recipe),
                "seed": self.agent.seed,
                "full_sentences": self.agent.keeps_full_sentences,
                "think": self.think.settings_hash if self.think else "",
            }
        )


def plan_agent(agent: Agent) -> AgentPlan:
    """Say how this agent's responses are made. Raises NotReady, naming what the agent lacks."""
    if agent.responder is None:
        raise NotReady(f"{agent} has no responder: its responses can only be imported.")
    think = plan_think(agent.augmenter, agent.responder) if agent.augmenter else None
    template = _template(agent.prompt_set, _respond_role(agent), agent)
    recipe = Recipe(RESPOND, template.get("system", ""), template["user"], _sampling(agent, template))
    return AgentPlan(agent, agent.responder, recipe, think)


def plan_think(augmenter: Augmenter, responder: LanguageModel | None) -> ThinkPlan:
    """Say how this augmenter thinks for this responder. Raises NotReady, naming what the augmenter lacks."""
    if augmenter.source in (Source.RANDOM, Source.FIXED):
        if augmenter.source == Source.FIXED and not augmenter.fixed_skill:
            raise NotReady(f"{augmenter} has no skill to give: fill in the fixed skill.")
        return ThinkPlan(augmenter, None, None)
    model = responder if augmenter.source == Source.OWN else augmenter.model
    if model is None:
        raise NotReady(f"{augmenter} has no model: choose the one that writes the skill-of-mind.")
    template = _template(augmenter.prompt_set, THINK_ROLES[Source(augmenter.source)], augmenter)
    names_skill = augmenter.source != Source.DOCTOR
    recipe = Recipe(
        stage=THINK,
        system=template.get("system", ""),
        user=template["user"],
        sampling=_sampling(augmenter, template),
        # A chain of thought names no skill, so there is none to ask for or to look for.
        skill_grammar=augmenter.uses_grammar and names_skill,
        skills=SKILLS if names_skill else (),
        reads=READ_SKILL_OF_MIND if names_skill else READ_RATIONALE,
    )
    return ThinkPlan(augmenter, model, recipe)


def guidance_of(augmenter: Augmenter) -> Guidance:
    """Return what the responder sees: a drawn or fixed skill has no explanation, a chain of thought names no skill."""
    if augmenter.source in (Source.RANDOM, Source.FIXED):
        return Guidance.SKILL
    return Guidance.EXPLANATION if augmenter.source == Source.DOCTOR else Guidance(augmenter.guidance)


def lacking_part(guidance: Guidance, *, explanation: str, skill: str) -> str:
    """Name the part of a skill-of-mind that this guidance needs and that is empty; "" where all is there."""
    if guidance != Guidance.SKILL and not explanation.strip():
        return "explanation"
    return "skill" if guidance != Guidance.EXPLANATION and not skill.strip() else ""


def model_spec(model: LanguageModel) -> ModelSpec:
    """Return the model as a worker is told of it."""
    return ModelSpec(
        slug=model.slug, backend=model.backend, source=model.source, revision=model.revision, options=model.options
    )


def identity(model: LanguageModel) -> dict[str, Any]:
    """Return what makes two registered models the same one. The engine belongs to it: engines differ in their texts."""
    spec = to_json(model_spec(model))
    return {name: value for name, value in spec.items() if name != "slug"}


def text_seed(seed: int, external_id: str, sample: int, round_: int) -> int:
    """Return the seed of one text: the same on every machine, another one for every dialogue, sample and round."""
    digested = hashlib.sha256(f"{seed}/{external_id}/{sample}/{round_}".encode()).digest()
    return int.from_bytes(digested[:8]) >> (64 - SEED_BITS)


def digest(value: Any) -> str:
    """Return the SHA-256 of a value's canonical JSON."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _respond_role(agent: Agent) -> str:
    if agent.augmenter is None:
        return "baseline"
    has_its_own = agent.prompt_set is not None and DOCTOR_ROLE in agent.prompt_set.templates
    if agent.augmenter.source == Source.DOCTOR and has_its_own:
        return DOCTOR_ROLE
    return guidance_of(agent.augmenter)


def _template(prompt_set: PromptSet | None, role: str, owner: Agent | Augmenter) -> dict[str, Any]:
    if prompt_set is None:
        raise NotReady(f"{owner} has no prompt set.")
    template = prompt_set.templates.get(role)
    if not template:
        raise NotReady(f'The prompt set "{prompt_set}" has no template "{role}", which {owner} needs.')
    found: dict[str, Any] = template
    return found


def _sampling(settings: Agent | Augmenter, template: dict[str, Any]) -> Sampling:
    return Sampling(
        temperature=settings.temperature,
        top_p=settings.top_p,
        max_new_tokens=settings.max_new_tokens,
        stop=tuple(template.get("stop", ())),
    )
