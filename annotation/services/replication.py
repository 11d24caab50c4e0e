"""The paper's study in one step: public sets, responders alone and with Thanos, criteria, 100 dialogues of each set."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from django.db import transaction

from annotation.criteria import USUAL_CRITERIA
from annotation.errors import DuologueError
from annotation.models import (
    Agent,
    Augmenter,
    Collection,
    Comparison,
    Criterion,
    LanguageModel,
    Matchup,
    PromptSet,
    Study,
)
from annotation.public_data.cutting import FIRST, Choices
from annotation.public_data.schemas import SETS, PublicSet
from annotation.services import generation, members
from annotation.services.actors import Actor
from annotation.services.comparisons import Prepared, prepare_comparisons
from annotation.services.editing import require_draft
from annotation.services.public_data import collection_name, import_public_set
from annotation.services.registry import PUBLISHED_RESPOND, PUBLISHED_THINK, RESPONDERS, ensure_registry, own_prompts
from annotation.services.trail import record

NAME = "Replication: responders alone and with Thanos 8B"
THINKER = "thanos-8b"
TITLE = "Which response is better?"
INSTRUCTIONS = (
    "You read short conversations. Under each one stand two ways in which it could go on. For every question choose "
    "the response that fits better, or say that they are about the same. There are no right answers: we want your own "
    "view."
)


class UnknownResponder(DuologueError):
    """A responder that is not in the registry."""


@dataclass
class Replication:
    """The draft, and what it still waits for, in sentences."""

    study: Study
    prepared: Prepared
    done: list[str] = field(default_factory=list)
    waits: list[str] = field(default_factory=list)


def replicate_paper(
    *,
    name: str = NAME,
    folder: Path | None = None,
    uses_hub: bool = False,
    responders: Sequence[str] = (),
    first: int = FIRST,
    actor: Actor = None,
    now: datetime,
) -> Replication:
    """Make the draft of the paper's study, or complete the one of that name.

    Sets that are not there yet are imported from `folder` (a file or folder named like the set) or, if asked, from the
    hub; what cannot be had is said, never an obstacle. Raises: UnknownResponder, StudyIsFrozen.
    """
    ensure_registry()
    models = _responders(responders or [known.slug for known in RESPONDERS])
    done: list[str] = []
    waits: list[str] = []
    collections = [
        found for each in SETS.values() if (found := _collection(each, folder, uses_hub, first, done, waits))
    ]
    with transaction.atomic():
        study = _study(name, actor)
        study.collections.add(*collections)
        study.dialogues_limit = first * study.collections.count() or None
        study.save(update_fields=["dialogues_limit"])
        prompts = _prompts(waits)
        for model in models:
            _matchup(study, model, prompts)
        prepared = prepare_comparisons(study)
        record(study, "replicate", actor=actor, sets=[each.name for each in collections], made=prepared.made)
    waits += [] if study.consent_text.strip() else ["Its consent text: write it on the study's page."]
    waits += [f"{agent}: {each.sentence}" for agent, each in _served(study, now) if not each.is_served]
    return Replication(study, prepared, done, waits)


def _responders(slugs: Sequence[str]) -> list[LanguageModel]:
    found = {model.slug: model for model in LanguageModel.objects.filter(slug__in=slugs)}
    for slug in slugs:
        if slug not in found:
            known = ", ".join(LanguageModel.objects.order_by("slug").values_list("slug", flat=True))
            raise UnknownResponder(f"There is no model “{slug}”. Registered are: {known}.")
    return [found[slug] for slug in dict.fromkeys(slugs)]


def _collection(
    public: PublicSet, folder: Path | None, uses_hub: bool, first: int, done: list[str], waits: list[str]
) -> Collection | None:
    """Return the set's collection, imported if need be; None, with what to do, where it cannot be had."""
    found = Collection.objects.filter(name=collection_name(public), dialogues__isnull=False).distinct().first()
    if found:
        return found
    source = _in_folder(public, folder)
    if not source and not uses_hub:
        waits.append(f"{public.title}: not imported yet. Do so with manage.py import_dataset {public.name} [FILE].")
        return None
    try:
        imported = import_public_set(public.name, source=source, choices=Choices(first))
    except DuologueError as problem:
        waits.append(f"{public.title}: {problem.user_message}")
        return None
    done.append(f"{imported.result} {' '.join(imported.skipped)}".strip())
    return imported.result.collection


def _in_folder(public: PublicSet, folder: Path | None) -> str:
    if folder is None:
        return ""
    near = sorted(path for path in folder.glob(f"{public.name}*") if path.stem == public.name)
    return str(near[0]) if near else ""


def _study(name: str, actor: Actor) -> Study:
    """Return the draft of that name, made with the usual criteria on the first call. Raises StudyIsFrozen."""
    study = Study.objects.filter(name=name, rehearsal_of=None).order_by("pk").first()
    if study:
        require_draft(study, "what it compares")
        return study
    study = Study.objects.create(name=name, title=TITLE, instructions=INSTRUCTIONS)
    members.begin(study, actor=actor)
    for position, preset in enumerate(USUAL_CRITERIA):
        Criterion.objects.create(
            study=study,
            key=preset.key,
            name=preset.name,
            question=preset.question,
            definition=preset.definition,
            position=position,
        )
    return study


def _prompts(waits: list[str]) -> PromptSet:
    """Return the newest published wording, or our own with a word about it."""
    published = PromptSet.objects.filter(is_published=True).order_by("-created_at").first()
    if published:
        return published
    waits.append(
        "The published wording: Thanos was tuned on it. Bring it in with manage.py import_prompts PATH_OR_URL and give "
        "this command again; until then the agents use our own words."
    )
    return own_prompts()


def _matchup(study: Study, model: LanguageModel, prompts: PromptSet) -> None:
    """Let a responder meet itself with Thanos, with these prompts; a draft's pair with other prompts goes."""
    ending = f" ({prompts.name})" if prompts.is_published else ""
    shared = {"prompt_set": prompts, **PUBLISHED_THINK}
    thinker = LanguageModel.objects.get(slug=THINKER)
    thanos, _ = Augmenter.objects.get_or_create(
        name=f"{thinker.name}{ending}"[:200], defaults={"model": thinker, **shared}
    )
    sampled = {"responder": model, "prompt_set": prompts, **PUBLISHED_RESPOND}
    baseline, _ = Agent.objects.get_or_create(name=f"{model.name} alone{ending}"[:200], defaults=sampled)
    treatment, _ = Agent.objects.get_or_create(
        name=f"{model.name} with {thanos.name}"[:200], defaults={**sampled, "augmenter": thanos}
    )
    made_here = {
        "baseline__name__startswith": f"{model.name} alone",
        "treatment__name__startswith": f"{model.name} with {thinker.name}",
    }
    outdated = study.matchups.filter(**made_here).exclude(baseline=baseline, treatment=treatment)
    Comparison.objects.filter(matchup__in=outdated).delete()
    outdated.delete()
    Matchup.objects.get_or_create(study=study, baseline=baseline, treatment=treatment)


def _served(study: Study, now: datetime) -> list[tuple[Agent, generation.Served]]:
    return [(agent, generation.who_serves(agent, now=now)) for agent in generation.agents_of(study)]
