"""Comparisons before launch: made from dialogues and matchups, given their responses, checked, excluded or released."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import OuterRef, Q, QuerySet, Subquery

from annotation.errors import DuologueError
from annotation.models import Agent, Comparison, Dialogue, Matchup, Response, Slot, Study
from annotation.pairing import draw_evenly
from annotation.quality import identical, usable
from annotation.services.actors import Actor
from annotation.services.editing import require_draft
from annotation.services.reasons import clean_reason
from annotation.services.trail import record
from annotation.states import AssignmentState, ComparisonKind


class NothingToShow(DuologueError):
    """A comparison with a response that is missing or empty."""


class Prepared(NamedTuple):
    """What `prepare_comparisons` did: comparisons made, kept as they were, and taken away."""

    made: int
    kept: int
    removed: int


class Unusable(NamedTuple):
    """A comparison that cannot be shown, with the reason in words."""

    comparison: Comparison
    reason: str


def chosen_dialogues(study: Study) -> list[int]:
    """Return the ids of the dialogues that the study takes: the same ones every time."""
    by_kind: dict[str, list[int]] = defaultdict(list)
    for pk, kind in Dialogue.objects.filter(collection__studies=study).distinct().values_list("pk", "kind"):
        by_kind[kind].append(pk)
    return draw_evenly(by_kind, study.dialogues_limit, study.seed)


@transaction.atomic
def prepare_comparisons(study: Study) -> Prepared:
    """Make the study's comparisons, one for each matchup and dialogue, and attach the current responses.

    Safe to repeat while the study is a draft: comparisons that no longer belong go, the others keep their exclusions.
    Raises: StudyIsFrozen.
    """
    require_draft(study, "the comparisons")
    wanted = {(matchup, dialogue) for matchup in _matchup_ids(study) for dialogue in chosen_dialogues(study)}
    present = dict[tuple[int, int], int]()
    for pk, matchup, dialogue in _main(study).values_list("pk", "matchup_id", "dialogue_id"):
        present[matchup, dialogue] = pk
    surplus = [pk for pair, pk in present.items() if pair not in wanted]
    Comparison.objects.filter(pk__in=surplus).delete()
    missing = sorted(wanted - present.keys())
    Comparison.objects.bulk_create(
        [Comparison(study=study, matchup_id=matchup, dialogue_id=dialogue) for matchup, dialogue in missing],
        batch_size=2000,
    )
    attach_responses(study)
    return Prepared(made=len(missing), kept=len(present) - len(surplus), removed=len(surplus))


@transaction.atomic
def attach_responses(study: Study) -> None:
    """Point every main comparison of a draft at the current responses of its two agents.

    Raises: StudyIsFrozen.
    """
    require_draft(study, "the responses that are compared")
    attach_current(study)


def attach_current(study: Study) -> None:
    """Do the same without a look at the state: only for the launch itself, which has just taken the study."""
    for matchup in study.matchups.select_related("baseline", "treatment"):
        matchup.comparisons.filter(kind__in=_PLANNED).update(
            baseline_response_id=_current(matchup.baseline), treatment_response_id=_current(matchup.treatment)
        )


def _current(agent: Agent) -> Subquery:
    mine = Response.objects.filter(agent=agent, dialogue_id=OuterRef("dialogue_id"), sample=0, is_current=True)
    return Subquery(mine.values("pk")[:1])


def find_unusable(study: Study) -> list[Unusable]:
    """Return the comparisons that stand in the way of a launch: not excluded, and lacking two usable responses."""
    return list(_unusable(study.comparisons.filter(excluded_at=None)))


def _unusable(comparisons: QuerySet[Comparison]) -> Iterator[Unusable]:
    related = ("baseline_response__agent", "treatment_response__agent", "matchup__baseline", "matchup__treatment")
    for comparison in comparisons.select_related(*related).order_by("pk"):
        if reason := why_unusable(comparison):
            yield Unusable(comparison, reason)


def why_nothing_to_show(comparison: Comparison) -> str:
    """Say which response is missing or without words, whatever a researcher decides; empty where there are two."""
    for response, agent in (
        (comparison.baseline_response, comparison.matchup.baseline),
        (comparison.treatment_response, comparison.matchup.treatment),
    ):
        if response is None:
            return f"{agent} has no response yet."
        if not response.text.strip():
            return f"The response of {agent} is empty."
    return ""


def note(
    comparison: Comparison, verb: str, reason: str, *, about: Iterable[Response], actor: Actor, **detail: Any
) -> None:
    """Put into the trail what is done to a comparison, why, and what the checks found in these responses."""
    found = [{"agent": response.agent.name, "flags": response.flags} for response in about]
    code = str(comparison.code)
    record(comparison.study, verb, actor=actor, comparison=code, reason=reason, responses=found, **detail)


def _flagged(comparison: Comparison) -> list[Response]:
    pair = (comparison.baseline_response, comparison.treatment_response)
    return [response for response in pair if response and response.flags]


def why_unusable(comparison: Comparison) -> str:
    """Say why annotators cannot be shown this comparison; empty when they can."""
    if lacks := why_nothing_to_show(comparison):
        return lacks
    baseline, treatment = comparison.baseline_response, comparison.treatment_response
    assert baseline
    assert treatment
    if _is_released(comparison, [baseline, treatment]):
        return ""
    for response in (baseline, treatment):
        if not usable(response.flags):
            return f"The response of {response.agent} is flagged: {', '.join(response.flags)}."
    return "Both responses say the same." if identical(baseline.text, treatment.text) else ""


def _is_released(comparison: Comparison, responses: Iterable[Response]) -> bool:
    """A release covers the responses that the researcher saw, not those written again afterwards."""
    released = comparison.released_at
    return released is not None and all(response.created_at <= released for response in responses)


@transaction.atomic
def exclude_comparison(comparison: Comparison, reason: str, *, actor: Actor, now: datetime) -> None:
    """Keep a comparison from annotators and out of the results. Answers given so far stay stored."""
    reason = clean_reason(reason)
    moved = Comparison.objects.filter(pk=comparison.pk, excluded_at=None).update(
        excluded_at=now, excluded_reason=reason
    )
    if moved:
        Slot.objects.filter(comparison=comparison).update(is_open=False)
        note(comparison, "exclude comparison", reason, about=_flagged(comparison), actor=actor)
    comparison.refresh_from_db(fields=["excluded_at", "excluded_reason"])


@transaction.atomic
def include_comparison(comparison: Comparison, *, actor: Actor) -> None:
    """Take an exclusion back: slots that nobody holds or filled open again."""
    moved = Comparison.objects.filter(pk=comparison.pk).exclude(excluded_at=None)
    if moved.update(excluded_at=None, excluded_reason=""):
        live = Q(assignments__state__in=[AssignmentState.CLAIMED, AssignmentState.SUBMITTED])
        free = Slot.objects.filter(comparison=comparison, comparison__kind=ComparisonKind.MAIN).exclude(live)
        Slot.objects.filter(pk__in=list(free.values_list("pk", flat=True))).update(is_open=True)
        record(comparison.study, "include comparison", actor=actor, comparison=str(comparison.code))
    comparison.refresh_from_db(fields=["excluded_at", "excluded_reason"])


@transaction.atomic
def release_comparison(comparison: Comparison, reason: str, *, actor: Actor, now: datetime) -> None:
    """Show a comparison although a check flagged one of its responses. Raises: StudyIsFrozen, NothingToShow."""
    reason = clean_reason(reason)
    require_draft(comparison.study, "a released comparison")
    if lacks := why_nothing_to_show(comparison):
        raise NothingToShow(f"{lacks} Nobody can judge that: write it again, or leave the comparison out.")
    Comparison.objects.filter(pk=comparison.pk).update(released_at=now, released_reason=reason)
    note(comparison, "release comparison", reason, about=_flagged(comparison), actor=actor)
    comparison.refresh_from_db(fields=["released_at", "released_reason"])


def _main(study: Study) -> QuerySet[Comparison]:
    return study.comparisons.filter(kind__in=_PLANNED)


_PLANNED = [ComparisonKind.MAIN, ComparisonKind.GOLD]
"""One of them stands for each matchup and dialogue."""


def _matchup_ids(study: Study) -> list[int]:
    return list(Matchup.objects.filter(study=study).values_list("pk", flat=True))
