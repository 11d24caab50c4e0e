"""A plan before the launch: how large the study is to be, what it is to find, and how well it will.

A `StudyPlan` is what is stored with a study; its `outlook` holds the curves and the smallest effect it can show.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from annotation.results.errors import BadSetting, ResultsError
from annotation.results.noncentral import detectable_shift
from annotation.results.power import (
    LARGEST_EFFECT,
    CurvePoint,
    Plan,
    Spread,
    check_wanted,
    items_needed,
    power,
    power_curve,
    smallest_effect,
)

# Dialogues that differ somewhat, people who differ a little, ties in one judgement of six: a usual preference study.
USUAL_SPREAD = Spread(item_sd=0.20, annotator_sd=0.08, rest_sd=0.40)
GUESS = "a guess"

QUARTERS = tuple(quarter / 4 for quarter in range(1, 13))
FACTORS = (0.5, 1.0, 2.0)
# Scores lie between 0 and 1, so none varies more; a pilot's moments may pass it by their rounding.
LARGEST_SD = 0.5
TOLERANCE = 0.01


class NoPilot(ResultsError):
    """Ratings that cannot tell how much judgements vary."""


@dataclass(frozen=True)
class Line:
    """A curve: its plan, the factor by which that differs from what is planned, and power by x."""

    factor: float
    plan: Plan
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Outlook:
    """What a plan promises.

    by_items: power to find the expected effect by number of comparisons, a line for each number of annotators ·
    by_effect: power by effect, a line for each number of comparisons · sizes: the points of the planned line of
    by_items · smallest_effect, items_needed: None where there is none
    """

    power: float
    smallest_effect: float | None
    items_needed: int | None
    by_items: tuple[Line, ...]
    by_effect: tuple[Line, ...]
    sizes: tuple[CurvePoint, ...]


@dataclass(frozen=True)
class StudyPlan:
    """A plan with the effect that is expected, the power that is wanted, and where the spread was taken from."""

    plan: Plan
    effect: float
    wanted: float = 0.8
    source: str = GUESS

    def __post_init__(self) -> None:
        if not 0 < self.effect <= LARGEST_EFFECT:
            raise BadSetting(f"A win score of {50 + 100 * self.effect:g} % is no effect that can be planned for.")
        check_wanted(self.wanted, self.plan.level)
        if self.plan.spread.total_sd > LARGEST_SD + TOLERANCE:
            raise BadSetting(
                f"Together these standard deviations make {self.plan.spread.total_sd:.2f}. Scores lie between 0 and 1 "
                f"and vary by {LARGEST_SD} at most: choose smaller ones."
            )

    @property
    def power(self) -> float:
        """Chance to find the expected effect."""
        return power(self.plan, self.effect)

    @property
    def smallest_effect(self) -> float | None:
        """Smallest effect found with the wanted power; None where there is none."""
        return smallest_effect(self.plan, wanted=self.wanted)

    def outlook(self) -> Outlook:
        """Power, curves and the smallest effect."""
        sizes = self._sizes()
        return Outlook(
            power=self.power,
            smallest_effect=self.smallest_effect,
            items_needed=items_needed(self.plan, self.effect, wanted=self.wanted),
            by_items=tuple(self._by_items(factor, sizes) for factor in FACTORS if self._has_people(factor)),
            by_effect=tuple(self._by_effect(factor) for factor in FACTORS if self._has_items(factor)),
            sizes=power_curve(self.plan, self.effect, sizes, wanted=self.wanted),
        )

    def _sizes(self) -> tuple[int, ...]:
        """Numbers of comparisons around the planned one that give every annotator something to judge."""
        fewest = max(2, math.ceil(self.plan.n_annotators / self.plan.k))
        sizes = {max(fewest, round(self.plan.n_items * quarter)) for quarter in QUARTERS}
        return tuple(sorted(sizes | {self.plan.n_items}))

    def _has_people(self, factor: float) -> bool:
        people = round(self.plan.n_annotators * factor)
        return max(2, self.plan.k) <= people <= self.plan.n

    def _has_items(self, factor: float) -> bool:
        items = round(self.plan.n_items * factor)
        return items >= 2 and items * self.plan.k >= self.plan.n_annotators

    def _by_items(self, factor: float, sizes: tuple[int, ...]) -> Line:
        plan = replace(self.plan, n_annotators=round(self.plan.n_annotators * factor))
        enough = [size for size in sizes if size * plan.k >= plan.n_annotators]
        return Line(factor, plan, tuple((size, power(replace(plan, n_items=size), self.effect)) for size in enough))

    def _by_effect(self, factor: float) -> Line:
        plan = replace(self.plan, n_items=round(self.plan.n_items * factor))
        return Line(factor, plan, tuple((effect, power(plan, effect)) for effect in self._effects()))

    def _effects(self) -> list[float]:
        """Round steps of the win score from none up to effects that are found for certain, or to the end."""
        reach = max(2 * (self.smallest_effect or LARGEST_EFFECT), 1.2 * self.effect)
        step = next((step for step in (0.001, 0.002, 0.005, 0.01, 0.02, 0.025) if 12 * step >= reach), 0.05)
        count = min(12, round(LARGEST_EFFECT / step))
        return [round(step * n, 4) for n in range(count + 1)]

    def to_json(self) -> dict[str, Any]:
        """Everything needed to work the plan out again, and the two figures that it promised."""
        return {
            "n_items": self.plan.n_items,
            "k": self.plan.k,
            "n_annotators": self.plan.n_annotators,
            "spread": asdict(self.plan.spread),
            "level": self.plan.level,
            "tests": self.plan.tests,
            "effect": self.effect,
            "wanted": self.wanted,
            "source": self.source,
            "power": self.power,
            "smallest_effect": self.smallest_effect,
        }

    @classmethod
    def from_json(cls, written: Mapping[str, Any]) -> "StudyPlan":
        """The plan that `to_json` wrote."""
        sizes = {name: written[name] for name in ("n_items", "k", "n_annotators", "level", "tests")}
        plan = Plan(**sizes, spread=Spread(**written["spread"]))
        return cls(plan, written["effect"], written["wanted"], written["source"])


@dataclass(frozen=True)
class Pilot:
    """How much judgements of one criterion and pair varied, and in how large a study."""

    criterion: str
    system_a: str
    system_b: str
    spread: Spread
    n_items: int
    n_annotators: int

    @property
    def source(self) -> str:
        """What a plan says of it."""
        pair = f"{self.system_b} against {self.system_a}"
        return f"pilot: {self.criterion}, {pair}, {self.n_items} comparisons by {self.n_annotators} annotators"


def pilots_in(report: Mapping[str, Any]) -> list[Pilot]:
    """The spreads that a report (as JSON) found, the largest first. Raises: NoPilot when it found none."""
    found = [(c["criterion"], m) for c in report["criteria"] for m in c["matchups"]]
    pilots = [_pilot(criterion, m) for criterion, m in found if "reason" not in m["variance_shares"]]
    if not pilots:
        reasons = dict.fromkeys(m["variance_shares"]["reason"] for _, m in found)
        raise NoPilot(f"The pilot does not tell how much judgements vary: {'; '.join(reasons) or 'it is empty'}.")
    return sorted(pilots, key=lambda pilot: -pilot.spread.total_sd)


def _pilot(criterion: str, m: Mapping[str, Any]) -> Pilot:
    # Rounded, so that what a form shows of it is all of it.
    spread = Spread(**{name: round(m["variance_shares"][name], 4) for name in ("item_sd", "annotator_sd", "rest_sd")})
    return Pilot(criterion, m["system_a"], m["system_b"], spread, m["n_items"], m["n_annotators"])


def most_demanding(pilots: list[Pilot], plan: Plan, criterion: str = "") -> Pilot:
    """The pilot (of this criterion, if one is named) under which the plan is the least precise. Raises: NoPilot."""
    named = [pilot for pilot in pilots if criterion in ("", pilot.criterion)]
    if not named:
        known = ", ".join(dict.fromkeys(pilot.criterion for pilot in pilots))
        raise NoPilot(f"The pilot has no criterion {criterion!r}; it has {known}.")
    return max(named, key=lambda pilot: replace(plan, spread=pilot.spread).variance)


def effect_of(win_score_percent: float) -> float:
    """The distance from 1/2 of a win score that is given in percent."""
    return round(abs(win_score_percent - 50) / 100, 6)


def achieved_effect(se: float, df: float, plan: StudyPlan) -> float:
    """The effect that a study that has been run would have found with the planned power, at the planned level."""
    return detectable_shift(df, plan.plan.test_level, plan.wanted) * se
