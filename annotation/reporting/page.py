"""What the results page shows, worked out of a report: one answer, then a card for every question behind it. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from annotation.reporting.answers import Answer, answer
from annotation.reporting.cards import (
    VarianceCard,
    agreement_figure,
    length_figure,
    position_figure,
    variance_cards,
    variance_figure,
)
from annotation.reporting.figures import Figure, Json, unique
from annotation.reporting.forests import ForestCard, forest_cards
from annotation.reporting.outcomes import CriterionRow, criterion_rows, outcomes_figure, overview_figure
from annotation.reporting.rankings import overall, ranking_figures

type Found = Sequence[tuple[str, Json]]


@dataclass(frozen=True)
class MatchupPage:
    """Everything about one pair of agents."""

    anchor: str
    system_a: str
    system_b: str
    answer: Answer
    rows: tuple[CriterionRow, ...]
    outcomes: Figure
    agreement: Figure
    position: Figure | None
    length: Figure | None
    variance: tuple[VarianceCard, ...]
    variance_table: Figure
    forests: tuple[ForestCard, ...]
    notes: tuple[str, ...]

    def figures(self) -> Iterator[Figure]:
        """Every figure of this pair."""
        yield self.outcomes
        yield self.agreement
        yield from (figure for figure in (self.position, self.length) if figure is not None)
        yield self.variance_table
        yield from (figure for card in self.forests for _, figure in card.figures)


@dataclass(frozen=True)
class ReportPage:
    """A whole report: what all pairs say together, where there are several, and each pair by itself."""

    overall: Answer | None
    overview: Figure | None
    rankings: tuple[tuple[str, Figure], ...]
    matchups: tuple[MatchupPage, ...]
    notes: tuple[str, ...]
    is_running: bool
    level: float

    @property
    def is_single(self) -> bool:
        """Whether there is one pair, so that its figures are the page; those of several are folded away."""
        return len(self.matchups) == 1

    def figures(self) -> Iterator[Figure]:
        """Every figure of the report."""
        yield from [self.overview] if self.overview else []
        yield from (figure for _, figure in self.rankings)
        for matchup in self.matchups:
            yield from matchup.figures()


def report_page(report: Json, names: Mapping[str, str]) -> ReportPage:
    """Turn a report into what a page shows. `names`: criterion key to the name that people read."""
    pairs = dict.fromkeys((m["system_a"], m["system_b"]) for c in report["criteria"] for m in c["matchups"])
    found = [_of_pair(report, pair, names) for pair in pairs]
    several = len(found) > 1
    return ReportPage(
        overall=overall(report, found, names) if several else None,
        overview=overview_figure(found) if several else None,
        rankings=ranking_figures(report, names),
        matchups=tuple(
            _matchup_page(report, each, names, f"-{place}" if several else "") for place, each in enumerate(found, 1)
        ),
        notes=tuple(report["notes"]),
        is_running=report["settings"]["planned_items"] is not None,
        level=report["settings"]["level"],
    )


def _of_pair(report: Json, pair: tuple[str, str], names: Mapping[str, str]) -> Found:
    return [
        (names.get(c["criterion"], c["criterion"]), m)
        for c in report["criteria"]
        for m in c["matchups"]
        if (m["system_a"], m["system_b"]) == pair
    ]


def _matchup_page(report: Json, found: Found, names: Mapping[str, str], suffix: str) -> MatchupPage:
    """suffix: tells the figures of several pairs apart."""
    level = report["settings"]["level"]
    pair = found[0][1]["system_a"], found[0][1]["system_b"]
    return MatchupPage(
        anchor=f"pair{suffix}",
        system_a=pair[0],
        system_b=pair[1],
        answer=answer(found, level=level, family=report["family"]["size"]),
        rows=criterion_rows(found, level),
        outcomes=outcomes_figure(found, f"outcomes{suffix}", level=level),
        agreement=agreement_figure(found, f"agreement{suffix}"),
        position=position_figure(found, f"position{suffix}"),
        length=length_figure(found, f"length{suffix}"),
        variance=variance_cards(found),
        variance_table=variance_figure(found, f"variance{suffix}"),
        forests=forest_cards(report, pair, dict(found), names, suffix),
        notes=unique(note for _, m in found for note in m["notes"]),
    )
