"""What a study was planned to find beside what it can find now that it has been run."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from annotation.reporting.words import EN_DASH, is_known
from annotation.results.planning import StudyPlan, achieved_effect
from annotation.results.planning_text import effect, score, share

type Json = Mapping[str, Any]

HEAD = ("Study", "Smallest effect", "Comparisons", "Judgements", "Annotators", "Dialogues", "People", "Rest")


@dataclass(frozen=True)
class PlannedCard:
    """Sentences, and a table: the plan first, then every criterion and pair as it turned out."""

    sentences: tuple[str, ...]
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def planned_card(plan: StudyPlan | None, report: Json | None, names: Mapping[str, str]) -> PlannedCard | None:
    """The plan beside the report, which has achieved effects once the study is closed; None when there is neither."""
    found = _closed(report)
    rows = ([_planned(plan)] if plan else []) + [_achieved(plan, c, m, names) for c, m in found]
    return PlannedCard(tuple(_sentences(plan, found)), HEAD, tuple(rows)) if rows else None


def _closed(report: Json | None) -> list[tuple[str, Json]]:
    """Every criterion and pair of a report whose study is over; one that runs is not judged by its fixed interval."""
    if report is None or report["settings"]["planned_items"] is not None:
        return []
    return [(c["criterion"], m) for c in report["criteria"] for m in c["matchups"]]


def _planned(plan: StudyPlan) -> tuple[str, ...]:
    size, spread = plan.plan, plan.plan.spread
    sizes = (size.n_items, size.n, size.n_annotators)
    parts = (spread.item_sd, spread.annotator_sd, spread.rest_sd)
    smallest = effect(plan.smallest_effect)
    return ("Planned", smallest, *(f"{n:,}" for n in sizes), *map(_sd, parts))


def _achieved(plan: StudyPlan | None, criterion: str, m: Json, names: Mapping[str, str]) -> tuple[str, ...]:
    shares = m["variance_shares"]
    sizes = (m["n_items"], m["n_judgements"], m["n_annotators"])
    parts = [shares.get(name) for name in ("item_sd", "annotator_sd", "rest_sd")]
    name = f"{names.get(criterion, criterion)}, {m['system_b']} against {m['system_a']}"
    return (name, _smallest(plan, m), *(f"{n:,}" for n in sizes), *map(_sd, parts))


def _smallest(plan: StudyPlan | None, m: Json) -> str:
    """Under the level, corrections and power of the plan; without one as the report has it."""
    figure = m["win_score_b"]
    if not is_known(figure) or figure["se"] is None:
        return "not estimable"
    if plan is None:
        return effect(m["detectable_effect"])
    return effect(achieved_effect(figure["se"], figure["df"], plan))


def _sd(value: float | None) -> str:
    return EN_DASH if value is None else f"{value:.2f}"


def _sentences(plan: StudyPlan | None, found: list[tuple[str, Json]]) -> list[str]:
    if plan is None:
        return ["No plan was stored before the launch. Effects are those found with power 80 % at the report's level."]
    tests = f", {plan.plan.tests} tests corrected together" if plan.plan.tests > 1 else ""
    said = [
        f"Planned for a win score of {score(plan.effect)}, with power {share(plan.wanted)} wanted, at level "
        f"{plan.plan.level:g}{tests}; standard deviations from {plan.source}."
    ]
    return said if found else [*said, "What the study can really show stands here when it is closed."]
