"""The study itself as files: its settings and agents, what was frozen, who and what was left out, and what was done."""

from collections.abc import Iterator
from typing import Any

from annotation.models import Agent, Augmenter, Event, LanguageModel, PromptSet, Study
from annotation.services import generation
from annotation.services.exports.csv_files import csv_lines
from annotation.services.exports.json_files import json_document, json_lines
from annotation.services.exports.judgements import TOO_LATE, judgements_of
from annotation.services.freezing import frozen_lines
from annotation.services.trail import EXPORT_VERBS
from annotation.states import AssignmentState

LEDGER = ("what", "which", "reason", "since", "judgements")

_SETTINGS = (
    "name",
    "title",
    "state",
    "dialogues_limit",
    "judgements_per_comparison",
    "quota_per_annotator",
    "annotators_limit",
    "scale",
    "offers_both_bad",
    "shuffles_criteria",
    "reason_from_strength",
    "lease_minutes",
    "seconds_per_comparison",
    "instructions",
    "guidelines",
    "consent_text",
    "consent_version",
    "contact",
    "payment",
    "seed",
    "margin",
    "planned_power",
    "frozen_sha256",
)
_SAMPLING = ("temperature", "top_p", "max_new_tokens", "seed")
# What the trail says of an event besides its verb and its time. Other details may name people.
_TOLD = (
    "sha256",
    "slots",
    "held",
    "comparison",
    "annotator",
    "reason",
    "responses",
    "numbers",
)
# Engine options whose values open doors.
_SECRET = ("key", "token", "secret", "password", "authorization", "credential")


def study_json(study: Study) -> Iterator[str]:
    """Yield the study as it was set up: texts, criteria, collections, matchups, and the agents with all settings."""
    agents = generation.agents_of(study)
    augmenters = {agent.augmenter.pk: agent.augmenter for agent in agents if agent.augmenter}
    owners: list[Agent | Augmenter] = [*agents, *augmenters.values()]
    prompt_sets = {each.prompt_set.pk: each.prompt_set for each in owners if each.prompt_set}
    models = {agent.responder.pk: agent.responder for agent in agents if agent.responder}
    models |= {augmenter.model.pk: augmenter.model for augmenter in augmenters.values() if augmenter.model}
    yield json_document(
        {
            "code": str(study.code),
            **{name: getattr(study, name) for name in _SETTINGS},
            "is_rehearsal": study.is_rehearsal,
            "created_at": study.created_at.isoformat(),
            "launched_at": study.launched_at.isoformat() if study.launched_at else None,
            "closed_at": study.closed_at.isoformat() if study.closed_at else None,
            "criteria": list(study.criteria.values("key", "name", "question", "definition", "position")),
            "collections": list(
                study.collections.order_by("pk").values("id", "name", "source", "licence", "description")
            ),
            "matchups": list(study.matchups.order_by("pk").values("baseline__name", "treatment__name")),
            "agents": [_agent(agent) for agent in agents],
            "augmenters": [_augmenter(augmenters[pk]) for pk in sorted(augmenters)],
            "models": [_model(models[pk]) for pk in sorted(models)],
            "prompt_sets": [_prompt_set(prompt_sets[pk]) for pk in sorted(prompt_sets)],
        }
    )


def _agent(agent: Agent) -> dict[str, Any]:
    return {
        "name": agent.name,
        "responder": agent.responder.slug if agent.responder else "",
        "prompt_set": agent.prompt_set.name if agent.prompt_set else "",
        "augmenter": agent.augmenter.name if agent.augmenter else "",
        "keeps_full_sentences": agent.keeps_full_sentences,
        "note": agent.notes,
        **{name: getattr(agent, name) for name in _SAMPLING},
    }


def _augmenter(augmenter: Augmenter) -> dict[str, Any]:
    return {
        "name": augmenter.name,
        "source": augmenter.source,
        "guidance": augmenter.guidance,
        "model": augmenter.model.slug if augmenter.model else "",
        "prompt_set": augmenter.prompt_set.name if augmenter.prompt_set else "",
        "fixed_skill": augmenter.fixed_skill,
        "uses_grammar": augmenter.uses_grammar,
        "note": augmenter.notes,
        **{name: getattr(augmenter, name) for name in _SAMPLING},
    }


def _model(model: LanguageModel) -> dict[str, Any]:
    said = ("name", "slug", "backend", "source", "revision", "licence", "note")
    return {**{name: getattr(model, name) for name in said}, "options": without_secrets(model.options)}


def without_secrets(value: Any) -> Any:
    """Engine options without the values of those whose names sound like a key."""
    if isinstance(value, dict):
        return {
            name: "(left out)" if any(word in str(name).lower() for word in _SECRET) else without_secrets(each)
            for name, each in value.items()
        }
    return [without_secrets(each) for each in value] if isinstance(value, list) else value


def _prompt_set(prompt_set: PromptSet) -> dict[str, Any]:
    return {name: getattr(prompt_set, name) for name in ("name", "source", "sha256", "is_published", "templates")}


def frozen_jsonl(study: Study) -> Iterator[str]:
    """Yield what annotators see, line by line: the SHA-256 of this file is the one that the launch wrote down."""
    return (f"{line}\n" for line in frozen_lines(study))


def exclusions_csv(study: Study) -> Iterator[str]:
    """Yield the ledger: what does not count, why, since when, and how many judgements that concerns."""
    return csv_lines(LEDGER, _ledger(study))


def _ledger(study: Study) -> Iterator[tuple[str, str, str, str, int]]:
    for annotator in study.annotators.exclude(excluded_reason="").order_by("pk").iterator():
        mine = judgements_of(study).filter(assignment__annotator=annotator).count()
        yield "annotator", annotator.pseudonym, annotator.excluded_reason, _since(annotator.excluded_at), mine
    for comparison in study.comparisons.exclude(excluded_reason="").order_by("pk").iterator():
        mine = judgements_of(study).filter(assignment__comparison=comparison).count()
        yield "comparison", str(comparison.code), comparison.excluded_reason, _since(comparison.excluded_at), mine
    late = judgements_of(study).filter(assignment__state=AssignmentState.SURPLUS)
    for code, when in (
        late.values_list("assignment__comparison__code", "assignment__submitted_at")
        .distinct()
        .order_by("assignment__submitted_at", "assignment__comparison__code")
    ):
        yield "late answer", str(code), TOO_LATE, _since(when), study.criteria.count()


def _since(moment: Any) -> str:
    return moment.isoformat(timespec="seconds") if moment else ""


def trail_jsonl(study: Study) -> Iterator[str]:
    """Yield what was done to the study, oldest first. Exports are left out: they change nothing."""
    events = study.events.exclude(verb__in=EXPORT_VERBS).order_by("pk")
    return json_lines(_event(event) for event in events.iterator())


def _event(event: Event) -> dict[str, Any]:
    said = {name: event.detail[name] for name in _TOLD if name in event.detail}
    return {
        "at": event.at.isoformat(timespec="seconds"),
        "verb": event.verb,
        "by_researcher": bool(event.actor_id),
        **said,
    }
