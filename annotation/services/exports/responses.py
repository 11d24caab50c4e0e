"""Responses with everything that is known of how they were made: one JSON object a line.

Every line has the same keys with values of the same types, because table readers take the types from the first
lines. So numbers that nobody reported are -1, words empty; what a worker said in full stands in `provenance_json`.
"""

import json
from collections.abc import Iterator
from typing import Any

from annotation.dialogue_texts import Context, as_lines
from annotation.models import Agent, PromptSet, Response, SkillOfMind, Study
from annotation.services.exports.comparisons import Names
from annotation.services.exports.json_files import json_lines
from annotation.services.exports.judgements import item_id, joined
from annotation.services.exports.lengths import WordCount, responses_of
from annotation.services.generation.recipes import guidance_of

ROWS_AT_A_TIME = 500
UNKNOWN = -1
# What readers of tables hold in a column of whole numbers.
LARGEST = 2**63

# Agents are few: they are looked up instead of being read again with every row.
_OF_AGENT = ("responder", "prompt_set", "augmenter__model", "augmenter__prompt_set")
_WORDS = ("revision", "engine", "engine_version", "device", "prompt_sha256", "finish_reason", "worker", "batch")
_WHOLE = ("seed", "prompt_tokens", "completion_tokens", "milliseconds", "first_token_milliseconds", "attempt")
_SAMPLING = ("temperature", "top_p", "repetition_penalty")


def responses_jsonl(study: Study) -> Iterator[str]:
    """Yield the file line by line."""
    return json_lines(response_rows(study))


def response_rows(study: Study) -> Iterator[dict[str, Any]]:
    """Yield every response that the study shows, by dialogue. Memory does not grow with their number."""
    names = Names(study)
    wrote = Agent.objects.filter(responses__in=responses_of(study)).select_related(*_OF_AGENT)
    agents = {agent.pk: agent for agent in wrote.distinct()}
    shown = responses_of(study).select_related("dialogue", "skill_of_mind").annotate(words=WordCount("text"))
    for response in shown.order_by("dialogue_id", "agent_id", "pk").iterator(chunk_size=ROWS_AT_A_TIME):
        yield _row(study, response, agents[response.agent_id], names)


def _row(study: Study, response: Response, agent: Agent, names: Names) -> dict[str, Any]:
    dialogue = response.dialogue
    context = Context(dialogue.social_context, dialogue.turns, dialogue.next_speaker)
    return {
        "study": study.name,
        "item_id": item_id(dialogue.collection_id, dialogue.external_id),
        "collection": names.collections[dialogue.collection_id],
        "dialogue_kind": dialogue.kind,
        "language": dialogue.language,
        "social_context": dialogue.social_context,
        "dialogue": as_lines(context),
        "next_speaker": dialogue.next_speaker,
        "reference": dialogue.reference,
        "agent": agent.name,
        "note": names.notes.get(agent.name, ""),
        "text": response.text,
        "raw_text": response.raw_text,
        "words": getattr(response, "words", 0),
        "flags": joined(response.flags),
        "sample": response.sample,
        "created_at": f"{response.created_at.isoformat(timespec='milliseconds')}",
        "settings_hash": response.settings_hash,
        "responder": agent.responder.name if agent.responder else "",
        **_prompts("prompt_set", agent.prompt_set),
        **_made(response.provenance, ""),
        "augmenter": agent.augmenter.name if agent.augmenter else "",
        "augmenter_source": agent.augmenter.source if agent.augmenter else "",
        "augmenter_guidance": guidance_of(agent.augmenter).value if agent.augmenter else "",
        "augmenter_model": agent.augmenter.model.name if agent.augmenter and agent.augmenter.model else "",
        **_prompts("augmenter_prompt_set", agent.augmenter.prompt_set if agent.augmenter else None),
        **_guidance(response.skill_of_mind),
        "is_rehearsal": study.is_rehearsal,
    }


def _prompts(name: str, prompt_set: PromptSet | None) -> dict[str, str]:
    return {
        name: prompt_set.name if prompt_set else "",
        f"{name}_sha256": prompt_set.sha256 if prompt_set else "",
    }


def _guidance(thought: SkillOfMind | None) -> dict[str, Any]:
    return {
        "guidance_outcome": thought.outcome if thought else "",
        "guidance_explanation": thought.explanation if thought else "",
        "guidance_skill": thought.skill if thought else "",
        "guidance_nearest_skill": thought.nearest_skill if thought else "",
        "guidance_raw_text": thought.raw_text if thought else "",
        "guidance_settings_hash": thought.settings_hash if thought else "",
        **_made(thought.provenance if thought else {}, "guidance_"),
    }


def _made(provenance: dict[str, Any], prefix: str) -> dict[str, Any]:
    """The provenance in columns of one type each, and in full as JSON."""
    found = provenance if isinstance(provenance, dict) else {}
    sampling = found["sampling"] if isinstance(found.get("sampling"), dict) else {}
    columns: dict[str, Any] = {"model": _word(found.get("model"))}
    columns |= {name: _word(found.get(name)) for name in _WORDS}
    columns |= {name: int(_number(found.get(name))) for name in _WHOLE}
    columns |= {name: float(_number(sampling.get(name))) for name in _SAMPLING}
    columns["max_new_tokens"] = int(_number(sampling.get("max_new_tokens")))
    columns["stop"] = json.dumps(sampling.get("stop", []), ensure_ascii=False)
    columns["reproducible"] = found.get("reproducible") is True
    columns["provenance_json"] = json.dumps(provenance, ensure_ascii=False, sort_keys=True)
    return {f"{prefix}{name}": value for name, value in columns.items()}


def _word(value: Any) -> str:
    return "" if value is None else str(value)


def _number(value: Any) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < LARGEST
    return value if is_number else UNKNOWN
