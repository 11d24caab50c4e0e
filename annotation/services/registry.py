"""Fill the registry: models, prompt sets, augmenters and agents that a researcher finds ready to choose.

`ensure_registry` may run at every start. It adds what is missing by name and never touches what is there, so whatever a
researcher changed stays changed.
"""

import json
from dataclasses import dataclass
from importlib import resources
from typing import Any, TypedDict

from django.db import transaction

from annotation.models import Agent, Augmenter, Backend, Guidance, LanguageModel, PromptSet, Source
from annotation.models.agent import NOT_THANOS
from annotation.services.generation.recipes import digest

DEMO_MODEL = "smollm2-135m"
DEMO_BASELINE = "SmolLM2 alone"
DEMO_TREATMENT = "SmolLM2 with demo augmenter"
DEMO_NOTE = NOT_THANOS
THANOS_LICENCE = "CC BY-NC 4.0 (research only)"
LLAMA_LICENCE = "Llama Community License"


class SamplingValues(TypedDict):
    temperature: float
    top_p: float
    max_new_tokens: int


# As published: Thanos draws at 0.9, responders answer greedily.
PUBLISHED_THINK = SamplingValues(temperature=0.9, top_p=1.0, max_new_tokens=256)
PUBLISHED_RESPOND = SamplingValues(temperature=0.0, top_p=1.0, max_new_tokens=512)
DEMO_THINK = SamplingValues(temperature=0.7, top_p=0.9, max_new_tokens=40)
DEMO_RESPOND = SamplingValues(temperature=0.4, top_p=0.9, max_new_tokens=48)


@dataclass(frozen=True)
class Known:
    """A model to register. The slug names its queue."""

    slug: str
    name: str
    source: str
    licence: str
    backend: Backend = Backend.VLLM
    note: str = ""


THANOS = (
    Known("thanos-1b", "Thanos 1B", "passing2961/Thanos-1B", THANOS_LICENCE),
    Known("thanos-3b", "Thanos 3B", "passing2961/Thanos-3B", THANOS_LICENCE),
    Known("thanos-8b", "Thanos 8B", "passing2961/Thanos-8B", THANOS_LICENCE),
)
RESPONDERS = (
    Known("llama-3-1-8b", "Llama 3.1 8B Instruct", "meta-llama/Llama-3.1-8B-Instruct", LLAMA_LICENCE),
    Known("llama-3-2-3b", "Llama 3.2 3B Instruct", "meta-llama/Llama-3.2-3B-Instruct", LLAMA_LICENCE),
    Known("llama-3-2-1b", "Llama 3.2 1B Instruct", "meta-llama/Llama-3.2-1B-Instruct", LLAMA_LICENCE),
    Known("gemma-2-9b", "Gemma 2 9B", "google/gemma-2-9b-it", "Gemma Terms of Use"),
    Known("gemma-2-2b", "Gemma 2 2B", "google/gemma-2-2b-it", "Gemma Terms of Use"),
    Known("qwen-2-5-7b", "Qwen 2.5 7B Instruct", "Qwen/Qwen2.5-7B-Instruct", "Apache-2.0"),
    Known("qwen-2-5-3b", "Qwen 2.5 3B Instruct", "Qwen/Qwen2.5-3B-Instruct", "Qwen Research License"),
    Known("phi-3-mini", "Phi-3 Mini Instruct", "microsoft/Phi-3-mini-4k-instruct", "MIT"),
    Known("mistral-7b", "Mistral 7B Instruct", "mistralai/Mistral-7B-Instruct-v0.3", "Apache-2.0"),
    Known(
        "vicuna-7b",
        "Vicuna 7B",
        "lmsys/vicuna-7b-v1.5",
        "Llama 2 Community License",
        note="Its tokenizer comes without a chat template: the option chat_template has the form that it was tuned on.",
    ),
    Known(
        "cosmo",
        "COSMO",
        "allenai/cosmo-xl",
        "see the model's page",
        backend=Backend.TRANSFORMERS,
        note="A seq2seq model that knows no chat: it reads system and user text one after the other.",
    ),
)


@transaction.atomic
def ensure_registry() -> None:
    """Add whatever of the registry is missing."""
    prompts = own_prompts()
    small = _small_model()
    thanos = {known.slug: _registered(known) for known in THANOS}
    responders = {known.slug: _registered(known) for known in RESPONDERS}
    demo = _augmenter(
        "Demo augmenter",
        model=small,
        prompt_set=prompts,
        uses_grammar=True,
        note=DEMO_NOTE,
        **DEMO_THINK,
    )
    _agent(DEMO_BASELINE, responder=small, prompt_set=prompts, keeps_full_sentences=True, **DEMO_RESPOND)
    _agent(
        DEMO_TREATMENT,
        responder=small,
        prompt_set=prompts,
        augmenter=demo,
        keeps_full_sentences=True,
        note=DEMO_NOTE,
        **DEMO_RESPOND,
    )
    augmenters = _real_augmenters(thanos, responders["llama-3-1-8b"], prompts)
    _real_agents(responders, augmenters, prompts)


def own_prompts() -> PromptSet:
    """Return the prompt set in our own words; where the words of this version differ, a new set beside the old one."""
    file = json.loads(resources.files("inference_worker").joinpath("prompts.json").read_text(encoding="utf-8"))
    templates = file["templates"]
    sha256 = digest(templates)
    found = PromptSet.objects.filter(sha256=sha256, is_published=False).first()
    if found:
        return found
    has_older = PromptSet.objects.filter(name=file["name"]).exists()
    name = f"{file['name']} ({sha256[:8]})" if has_older else file["name"]
    return PromptSet.objects.create(name=name, source="Our own words", sha256=sha256, templates=templates)


def _small_model() -> LanguageModel:
    model, _ = LanguageModel.objects.get_or_create(
        slug=DEMO_MODEL,
        defaults={
            "name": "SmolLM2 135M Instruct",
            "backend": Backend.LLAMACPP,
            "source": "packaged:smollm2-135m-instruct",
            "licence": "Apache-2.0",
            # So small a model takes its turn only where its name stands there, and soon repeats itself.
            "options": {
                "respond_start": "{next_speaker}:",
                "think_start": "I notice that",
                "repetition_penalty": 1.1,
            },
            "note": "A very small model that comes with Duologue: it shows how things work, not how good agents are.",
        },
    )
    return model


def _registered(known: Known) -> LanguageModel:
    file = json.loads(resources.files("inference_worker").joinpath("models.json").read_text(encoding="utf-8"))
    model, _ = LanguageModel.objects.get_or_create(
        slug=known.slug,
        defaults={
            "name": known.name,
            "backend": known.backend,
            "source": known.source,
            "licence": known.licence,
            "options": {"dtype": "bfloat16", **file[known.slug].get("options", {})},
            "note": known.note,
        },
    )
    return model


def _augmenter(name: str, **values: Any) -> Augmenter:
    return Augmenter.objects.get_or_create(name=name, defaults=values)[0]


def _agent(name: str, **values: Any) -> Agent:
    return Agent.objects.get_or_create(name=name, defaults=values)[0]


def _real_augmenters(
    thanos: dict[str, LanguageModel], chat_model: LanguageModel, prompts: PromptSet
) -> dict[str, Augmenter]:
    """Thanos in three sizes and three variants, what it is compared with, and the controls."""
    shared = {"prompt_set": prompts, **PUBLISHED_THINK}
    large = thanos["thanos-8b"]
    return {
        "thanos-8b": _augmenter("Thanos 8B", model=large, **shared),
        "thanos-3b": _augmenter("Thanos 3B", model=thanos["thanos-3b"], **shared),
        "thanos-1b": _augmenter("Thanos 1B", model=thanos["thanos-1b"], **shared),
        "skill": _augmenter("Thanos 8B, skill only", model=large, guidance=Guidance.SKILL, **shared),
        "explanation": _augmenter("Thanos 8B, explanation only", model=large, guidance=Guidance.EXPLANATION, **shared),
        "doctor": _augmenter(
            "Chain of thought (DOCTOR style) by Llama 3.1 8B",
            source=Source.DOCTOR,
            guidance=Guidance.EXPLANATION,
            model=chat_model,
            **shared,
        ),
        "own": _augmenter("Responder's own skill", source=Source.OWN, **shared),
        "shuffled": _augmenter("Control: Thanos 8B of another dialogue", source=Source.SHUFFLED, model=large, **shared),
        "random": _augmenter("Control: random skill", source=Source.RANDOM, guidance=Guidance.SKILL),
    }


def _real_agents(responders: dict[str, LanguageModel], augmenters: dict[str, Augmenter], prompts: PromptSet) -> None:
    """Every responder alone and with Thanos 8B; the 8B Llama with every augmenter."""
    for model in responders.values():
        _agent(f"{model.name} alone", responder=model, prompt_set=prompts, **PUBLISHED_RESPOND)
        _real_agent(model, augmenters["thanos-8b"], prompts)
    for augmenter in augmenters.values():
        _real_agent(responders["llama-3-1-8b"], augmenter, prompts)


def _real_agent(model: LanguageModel, augmenter: Augmenter, prompts: PromptSet) -> None:
    name = f"{model.name} with {augmenter.name}"
    _agent(name, responder=model, prompt_set=prompts, augmenter=augmenter, **PUBLISHED_RESPOND)
