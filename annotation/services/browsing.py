"""Look through the comparisons of a study one by one: those that fit a filter, and their neighbours."""

from dataclasses import dataclass, fields
from typing import Any, NamedTuple

from django.db.models import Count, F, Q, QuerySet

from annotation.models import Comparison, Response, Study
from annotation.quality import NOTES, Flag, identical
from annotation.services.surveying import SIDES, survey
from annotation.states import ComparisonKind

DEFECTS = [flag.value for flag in Flag if flag not in NOTES]
NO_SKILL = "-"


class State(NamedTuple):
    """What a filter by state is called in addresses, and in words."""

    key: str
    words: str


HELD_BACK = State("held", "held back by a check")
MISSING = State("missing", "a response is missing")
RELEASED = State("released", "shown all the same")
EXCLUDED = State("excluded", "left out")
FINE = State("fine", "nothing found")
STATES = (HELD_BACK, MISSING, RELEASED, EXCLUDED, FINE)


@dataclass(frozen=True)
class Filters:
    """What a researcher looks for; empty words filter nothing."""

    matchup: str = ""
    kind: str = ""
    skill: str = ""
    flag: str = ""
    state: str = ""
    q: str = ""

    def words(self) -> dict[str, str]:
        """Return the filters that are set, for an address."""
        return {field.name: value for field in fields(self) if (value := getattr(self, field.name))}


class Place(NamedTuple):
    """One comparison among those found: counted from 1, with its neighbours' ids, None at the ends."""

    comparison: Comparison
    number: int
    before: int | None
    after: int | None


@dataclass(frozen=True)
class Offers:
    """What the filters offer for a study, each value with the number of comparisons."""

    matchups: tuple[tuple[str, str], ...]
    kinds: tuple[tuple[str, int], ...]
    skills: tuple[tuple[str, int], ...]
    flags: tuple[tuple[str, int], ...]


def find(study: Study, filters: Filters) -> QuerySet[Comparison]:
    """Return the comparisons of a study that fit all filters, in the order in which they were made."""
    found = study.comparisons.exclude(kind=ComparisonKind.TRAINING).order_by("pk")
    if filters.matchup.isdigit():
        found = found.filter(matchup=int(filters.matchup[:18]))
    if filters.kind:
        found = found.filter(dialogue__kind=filters.kind)
    if filters.skill:
        found = found.filter(_either("skill_of_mind__skill", "" if filters.skill == NO_SKILL else filters.skill))
    if filters.q:
        found = found.filter(_either("text__icontains", filters.q) | Q(dialogue__external_id__icontains=filters.q))
    if filters.flag:
        found = found.filter(_has_flag(study, filters.flag))
    return found.filter(_in_state(study, filters.state)) if filters.state else found


def place_of(found: QuerySet[Comparison], at: int | None) -> Place | None:
    """Return the comparison of that id, or the next one that was found; None where nothing was."""
    rows = found.select_related(
        "dialogue__collection",
        "study",
        *(f"matchup__{role}__augmenter__model" for role in ("baseline", "treatment")),
        *(f"matchup__{role}__prompt_set" for role in ("baseline", "treatment")),
        *(f"{side}__skill_of_mind" for side in SIDES),
        *(f"{side}__agent" for side in SIDES),
    )
    here = (rows.filter(pk__gte=at).first() if at else rows.first()) or rows.last()
    if here is None:
        return None
    before = found.filter(pk__lt=here.pk)
    after = found.filter(pk__gt=here.pk).values_list("pk", flat=True).first()
    return Place(here, before.count() + 1, before.values_list("pk", flat=True).last(), after)


def offers(study: Study) -> Offers:
    """Return what can be chosen in the filters of this study."""
    shown = study.comparisons.exclude(kind=ComparisonKind.TRAINING)
    kinds = shown.exclude(dialogue__kind="").values("dialogue__kind").annotate(n=Count("pk")).order_by("dialogue__kind")
    surveyed = survey(study)
    matchups = study.matchups.select_related("baseline", "treatment").order_by("pk")
    return Offers(
        tuple((str(matchup.pk), str(matchup)) for matchup in matchups),
        tuple(kinds.values_list("dialogue__kind", "n")),
        surveyed.skills,
        surveyed.flags,
    )


def flags_of(comparison: Comparison, response: Response) -> list[str]:
    """Return what was found about a response of a comparison, that it says the same as the other one included."""
    one, other = comparison.baseline_response, comparison.treatment_response
    is_same = bool(one and other and one.text.strip() and identical(one.text, other.text))
    return [*response.flags, *([Flag.SAME_AS_OTHER.value] if is_same else [])]


def _either(path: str, value: Any) -> Q:
    baseline, treatment = SIDES
    return Q(**{f"{baseline}__{path}": value}) | Q(**{f"{treatment}__{path}": value})


def _has_flag(study: Study, flag: str) -> Q:
    return Q(pk__in=survey(study).same) if flag == Flag.SAME_AS_OTHER else _either("flags__contains", [flag])


def _in_state(study: Study, state: str) -> Q:
    missing = Q(baseline_response=None) | Q(treatment_response=None)
    released = Q(released_at__gte=F("baseline_response__created_at")) & Q(
        released_at__gte=F("treatment_response__created_at")
    )
    found = _either("flags__has_any_keys", DEFECTS) | Q(pk__in=survey(study).same)
    open_ = Q(excluded_at=None)
    return {
        HELD_BACK.key: open_ & ~missing & found & ~(Q(released_at__isnull=False) & released),
        MISSING.key: open_ & missing,
        RELEASED.key: open_ & released,
        EXCLUDED.key: ~open_,
        FINE.key: open_ & ~missing & ~found,
    }.get(state, Q())
