"""Plain builders: each makes one valid thing, and every part of it can be said differently."""

import hashlib
import itertools
from collections.abc import Sequence
from typing import Any

from django.contrib.auth.models import Group, User
from django.utils import timezone

from annotation.criteria import USUAL_CRITERIA
from annotation.models import (
    Agent,
    Annotator,
    Assignment,
    Augmenter,
    Backend,
    Collection,
    Comparison,
    Criterion,
    Dialogue,
    Judgement,
    LanguageModel,
    Matchup,
    Membership,
    PromptSet,
    Response,
    SkillOfMind,
    Slot,
    Study,
)
from annotation.roles import Role
from annotation.states import AssignmentState, Outcome, Side

number = itertools.count(1)

TURNS = [{"speaker": "Ana", "text": "I failed my exam today."}, {"speaker": "Ben", "text": "Oh no. What happened?"}]


def make_researcher(**over: Any) -> User:
    """A member of the team who may do everything."""
    fields = {"username": f"researcher-{next(number)}", "is_staff": True, "is_superuser": True} | over
    return User.objects.create_user(**fields)


def make_stranger(**over: Any) -> User:
    """A signed-in person who is no researcher."""
    return User.objects.create_user(**({"username": f"stranger-{next(number)}"} | over))


def make_member(study: Study | None, role: str = Role.VIEWER, *, group: str = "Researchers", **over: Any) -> User:
    """A member of the team with a role in one study, or in none."""
    member = make_researcher(**({"is_superuser": False} | over))
    member.groups.add(Group.objects.get(name=group))
    if study is not None:
        Membership.objects.create(study=study, user=member, role=role)
    return member


def make_collection(**over: Any) -> Collection:
    return Collection.objects.create(**({"name": f"Collection {next(number)}"} | over))


def make_dialogue(**over: Any) -> Dialogue:
    fields = {"external_id": f"d{next(number)}", "turns": TURNS, "next_speaker": "Ana", "kind": "empathy"} | over
    return Dialogue.objects.create(**({"collection": fields.pop("collection", None) or make_collection()} | fields))


def make_model(**over: Any) -> LanguageModel:
    n = next(number)
    fields = {"name": f"Model {n}", "slug": f"model-{n}", "backend": Backend.LLAMACPP, "source": "weights.gguf"}
    return LanguageModel.objects.create(**(fields | over))


def make_prompt_set(**over: Any) -> PromptSet:
    n = next(number)
    fields = {
        "name": f"Prompts {n}",
        "sha256": hashlib.sha256(str(n).encode()).hexdigest(),
        "templates": {"baseline": {"system": "Be kind.", "user": "{dialogue}"}},
    }
    return PromptSet.objects.create(**(fields | over))


def make_augmenter(**over: Any) -> Augmenter:
    fields = {"name": f"Augmenter {next(number)}"} | over
    return Augmenter.objects.create(**({"model": fields.pop("model", None) or make_model()} | fields))


def make_agent(**over: Any) -> Agent:
    fields = {"name": f"Agent {next(number)}"} | over
    return Agent.objects.create(**({"responder": fields.pop("responder", None) or make_model()} | fields))


def make_response(dialogue: Dialogue, agent: Agent, **over: Any) -> Response:
    fields = {"text": f"I am sorry to hear that, number {next(number)}.", "provenance": {"model": "m", "seed": 1}}
    return Response.objects.create(dialogue=dialogue, agent=agent, **(fields | over))


def make_skill_of_mind(dialogue: Dialogue, **over: Any) -> SkillOfMind:
    fields = {"explanation": "Ana is sad.", "skill": "Empathy", "outcome": "ok", "settings_hash": "0" * 64} | over
    return SkillOfMind.objects.create(dialogue=dialogue, **fields)


def make_study(**over: Any) -> Study:
    """A draft with one collection, the usual criteria and one matchup; nothing generated yet."""
    collections = over.pop("collections", None)
    n = next(number)
    fields = {
        "name": f"Study {n}",
        "title": "Which reply is better?",
        "consent_text": "You may stop at any time.",
    } | over
    study = Study.objects.create(**fields)
    study.collections.set([make_collection()] if collections is None else collections)
    return study


def make_criteria(study: Study) -> list[Criterion]:
    return [
        Criterion.objects.create(
            study=study, key=c.key, name=c.name, question=c.question, definition=c.definition, position=n
        )
        for n, c in enumerate(USUAL_CRITERIA)
    ]


def make_matchup(study: Study, **over: Any) -> Matchup:
    agents = {
        "baseline": over.pop("baseline", None) or make_agent(),
        "treatment": over.pop("treatment", None) or make_agent(),
    }
    return Matchup.objects.create(study=study, **agents, **over)


def make_comparison(matchup: Matchup, dialogue: Dialogue, *, k: int = 3, **over: Any) -> Comparison:
    """A comparison with both responses and k open slots, sides in turn."""
    fields = {
        "baseline_response": over.pop("baseline_response", None) or make_response(dialogue, matchup.baseline),
        "treatment_response": over.pop("treatment_response", None) or make_response(dialogue, matchup.treatment),
    } | over
    comparison = Comparison.objects.create(study=matchup.study, matchup=matchup, dialogue=dialogue, **fields)
    sides = [Side.LEFT, Side.RIGHT]
    Slot.objects.bulk_create(
        Slot(
            comparison=comparison,
            study=matchup.study,
            dialogue_id=dialogue.pk,
            ordinal=n,
            treatment_side=sides[n % 2],
            rank=next(number),
        )
        for n in range(k)
    )
    return comparison


def make_annotator(study: Study, **over: Any) -> Annotator:
    n = next(number)
    fields = {
        "pseudonym": f"Heron {n}",
        "consent_version": study.consent_version,
        "consent_sha256": "0" * 64,
        "consented_at": timezone.now(),
        "seed": n,
    }
    return Annotator.objects.create(study=study, **(fields | over))


def judge(slot: Slot, annotator: Annotator, outcomes: Sequence[Outcome], **over: Any) -> list[Judgement]:
    """One submitted assignment with an outcome for each criterion of the study, in their order."""
    now = timezone.now()
    fields = {"state": AssignmentState.SUBMITTED, "claimed_at": now, "lease_until": now, "submitted_at": now} | over
    number_of = annotator.assignments.count() + 1
    assignment = Assignment.objects.create(
        slot=slot, comparison=slot.comparison, annotator=annotator, number=number_of, **fields
    )
    Slot.objects.filter(pk=slot.pk).update(is_open=False)
    return Judgement.objects.bulk_create(
        Judgement(assignment=assignment, criterion=criterion, outcome=outcome, treatment_side=slot.treatment_side)
        for criterion, outcome in zip(slot.study.criteria.all(), outcomes, strict=True)
    )


def make_running_study(*, dialogues: int = 4, k: int = 2, **over: Any) -> Study:
    """A launched study with the usual criteria, one matchup, and open slots for every dialogue."""
    collection = make_collection()
    study = make_study(
        **(
            {
                "state": "running",
                "launched_at": timezone.now(),
                "judgements_per_comparison": k,
                "collections": [collection],
            }
            | over
        )
    )
    make_criteria(study)
    matchup = make_matchup(study)
    for _ in range(dialogues):
        make_comparison(matchup, make_dialogue(collection=collection), k=k)
    return study
