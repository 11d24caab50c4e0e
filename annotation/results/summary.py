"""The whole report: every figure for every criterion and pair of systems, as frozen values and as JSON."""

import platform
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from importlib import metadata
from typing import Any

import numpy as np
import scipy

from annotation.results.advice import Advice, advise
from annotation.results.agreement import Agreement, Intra, agreement, intra_agreement
from annotation.results.bias import Length, Position, length, position
from annotation.results.data import Counts, Estimate, Figure, Judgements, NotEstimable, Sample
from annotation.results.intervals import holm
from annotation.results.latent import LatentShares, latent_shares
from annotation.results.quality import Quality, quality_table
from annotation.results.ranking import Ranking, rank
from annotation.results.sequential import running_band
from annotation.results.settings import Settings
from annotation.results.strata import Stratified, stratify
from annotation.results.win_scores import (
    FEW_ANNOTATORS,
    Equivalence,
    Majority,
    Shares,
    SignedRank,
    VarianceShares,
    equivalence,
    majority,
    outcome_counts,
    shares,
    sign_test,
    signed_rank,
    smallest_detectable_effect,
    variance_shares,
    votes_p,
    win_rate_without_ties,
    win_score,
    win_score_of_these_annotators,
)


@dataclass(frozen=True)
class SignTest:
    """Exact test of item majorities; votes_p treats all votes as independent and is there for comparison only."""

    p: float
    votes_p: float


@dataclass(frozen=True)
class Matchup:
    """One criterion of one pair of systems. B's figures; A's are their complements.

    a_wins, ties, b_wins: judgements, ties with both bad (also counted apart in both_bad)
    p: of win_score_b against 1/2 · holm_p: corrected over the report
    band, band_together: only for a running study; the second holds together with those of all criteria and pairs
    detectable_effect: distance from 1/2 that the study finds with power .8
    """

    system_a: str
    system_b: str
    n_judgements: int
    n_items: int
    n_annotators: int
    a_wins: int
    ties: int
    b_wins: int
    both_bad: int
    shares: Shares
    win_score_b: Figure
    p: float | None
    holm_p: float | None
    win_score_b_items: Figure
    win_rate_b_no_ties: Figure
    band: Figure | None
    band_together: Figure | None
    majority: Majority
    sign_test: SignTest
    signed_rank: SignedRank | NotEstimable | None
    equivalence: Equivalence | NotEstimable | None
    agreement: Agreement
    variance_shares: VarianceShares | NotEstimable
    advice: Advice | NotEstimable
    detectable_effect: float | NotEstimable
    position: Position | None
    length: Length | None
    dawid_skene: LatentShares | NotEstimable | None
    notes: tuple[str, ...]


@dataclass(frozen=True)
class CriterionReport:
    """One criterion: agreement (pooled over several pairs), every pair, and a ranking of three systems or more."""

    criterion: str
    is_graded: bool
    n_judgements: int
    n_items: int
    n_annotators: int
    agreement: Agreement
    intra_annotator: Intra | NotEstimable | None
    matchups: tuple[Matchup, ...]
    ranking: Ranking | None


@dataclass(frozen=True)
class Family:
    """The tests that are corrected together."""

    size: int
    correction: str = "Holm, over all criteria and pairs of this report whose p is defined"


@dataclass(frozen=True)
class Report:
    """All figures of an analysis with its settings and versions."""

    settings: Settings
    data: Counts
    family: Family
    criteria: tuple[CriterionReport, ...]
    strata: tuple[Stratified, ...]
    annotators: tuple[Quality, ...]
    notes: tuple[str, ...]
    versions: Mapping[str, str]

    def to_json(self) -> dict[str, Any]:
        """Plain lists, dicts, numbers and strings; the keys are the names of the fields."""
        written: dict[str, Any] = as_json(self)
        return written

    def matchups(self) -> list[tuple[str, Matchup]]:
        """Every pair with its criterion, in order."""
        return [(report.criterion, matchup) for report in self.criteria for matchup in report.matchups]


def analyse(
    sample: Sample, settings: Settings | None = None, *, gold: Mapping[str, tuple[int, int]] | None = None
) -> Report:
    """Every figure for a sample. gold: annotator to (right, asked) answers of comparisons with a known answer."""
    settings = settings or Settings()
    main = sample.main
    family = len(np.unique(main.criterion * len(main.pairs) + main.pair))
    criteria = [_criterion(sample, code, settings, family) for code in np.unique(main.criterion).tolist()]
    corrected, tested = _holm(criteria)
    return Report(
        settings=settings,
        data=sample.counts,
        family=tested,
        criteria=corrected,
        strata=tuple(_stratified(main, settings)),
        annotators=quality_table(main, gold=gold, level=settings.level),
        notes=tuple(_notes(sample)),
        versions=versions(),
    )


def versions() -> dict[str, str]:
    """Of everything that takes part in the arithmetic."""
    return {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "krippendorff": metadata.version("krippendorff"),
    }


def _criterion(sample: Sample, code: int, settings: Settings, family: int) -> CriterionReport:
    judgements = sample.main.of(code)
    graded = code in judgements.graded
    pairs = np.unique(judgements.pair).tolist()
    matchups = tuple(_matchup(judgements.of(code, pair), settings, family, graded=graded) for pair in pairs)
    pooled = len(pairs) > 1
    return CriterionReport(
        criterion=judgements.criteria[code],
        is_graded=graded,
        n_judgements=len(judgements),
        n_items=judgements.n_items,
        n_annotators=judgements.n_annotators,
        agreement=agreement(judgements, graded=graded, resampling=settings.resampling, pooled=True)
        if pooled
        else matchups[0].agreement,
        intra_annotator=intra_agreement(judgements, sample.repeats.of(code), level=settings.level),
        matchups=matchups,
        ranking=rank(judgements, level=settings.level),
    )


def _matchup(judgements: Judgements, settings: Settings, family: int, *, graded: bool) -> Matchup:
    """All figures of judgements of one criterion and pair, one of `family` of them."""
    level = settings.level
    score = win_score(judgements, level=level)
    by_items = majority(judgements)
    split = variance_shares(judgements)
    a_wins, ties, b_wins = outcome_counts(judgements)
    system_a, system_b = judgements.pairs[judgements.pair[0]]
    return Matchup(
        system_a=system_a,
        system_b=system_b,
        n_judgements=len(judgements),
        n_items=judgements.n_items,
        n_annotators=judgements.n_annotators,
        a_wins=a_wins,
        ties=ties,
        b_wins=b_wins,
        both_bad=int(judgements.both_bad.sum()),
        shares=shares(judgements, level=level),
        win_score_b=score,
        p=score.p if isinstance(score, Estimate) else None,
        holm_p=None,
        win_score_b_items=win_score_of_these_annotators(judgements, level=level),
        win_rate_b_no_ties=win_rate_without_ties(judgements, level=level),
        band=_band(judgements, settings, family=1),
        band_together=_band(judgements, settings, family=family),
        majority=by_items,
        sign_test=SignTest(p=sign_test(by_items), votes_p=votes_p(judgements)),
        signed_rank=signed_rank(judgements) if graded else None,
        equivalence=None if settings.margin is None else equivalence(score, margin=settings.margin),
        agreement=agreement(judgements, graded=graded, resampling=settings.resampling),
        variance_shares=split,
        advice=advise(judgements, split, score),
        detectable_effect=smallest_detectable_effect(score),
        position=position(judgements, level=level),
        length=length(judgements, level=level),
        dawid_skene=latent_shares(judgements) if settings.dawid_skene else None,
        notes=tuple(_matchup_notes(judgements)),
    )


def _band(judgements: Judgements, settings: Settings, *, family: int) -> Figure | None:
    if settings.planned_items is None:
        return None
    return running_band(judgements, settings, planned_items=settings.planned_items, family=family)


def _matchup_notes(judgements: Judgements) -> list[str]:
    notes = []
    if 1 < judgements.n_annotators < FEW_ANNOTATORS:
        notes.append(
            f"Only {judgements.n_annotators} annotators: below {FEW_ANNOTATORS} the two-way interval is too narrow "
            "(with 3, about 7 % false alarms instead of 5 %)."
        )
    both_bad = float(judgements.both_bad.mean())
    if both_bad > 0:
        notes.append(f"Both bad was said in {both_bad:.1%} of the judgements; it counts half a win here.")
    return notes


def _holm(criteria: list[CriterionReport]) -> tuple[tuple[CriterionReport, ...], Family]:
    """Correct the p values of all criteria and pairs together."""
    p_values = [matchup.p for report in criteria for matchup in report.matchups if matchup.p is not None]
    corrected = iter(holm(p_values))
    return tuple(
        replace(
            report,
            matchups=tuple(
                replace(matchup, holm_p=None if matchup.p is None else next(corrected)) for matchup in report.matchups
            ),
        )
        for report in criteria
    ), Family(len(p_values))


def _stratified(main: Judgements, settings: Settings) -> list[Stratified]:
    found = []
    for column in settings.strata:
        for criterion in np.unique(main.criterion).tolist():
            of_criterion = main.of(criterion)
            for pair in np.unique(of_criterion.pair).tolist():
                judgements = of_criterion.of(criterion, pair)
                found.append(
                    stratify(
                        judgements,
                        column,
                        criterion=main.criteria[criterion],
                        pair=main.pairs[pair],
                        settings=settings,
                    )
                )
    return found


def _notes(sample: Sample) -> list[str]:
    counts = sample.counts
    notes = []
    if counts.is_rehearsal:
        notes.append("This is a rehearsal: simulated annotators, not people.")
    if counts.duplicates:
        notes.append(
            f"{counts.duplicates} judgements were given again by the same annotator for the same item, criterion "
            "and pair; the last one counts."
        )
    return notes + [
        _one_sided(sample.main, code) for code in sorted(sample.main.graded) if _is_one_sided(sample.main, code)
    ]


def _is_one_sided(main: Judgements, criterion: int) -> bool:
    """Grades that are all above 0, or all below, are most likely a scale that does not have its middle at 0."""
    grades = main.grade[main.criterion == criterion]
    return len(grades) > 1 and bool((grades > 0).all() or (grades < 0).all()) and bool(np.ptp(grades))


def _one_sided(main: Judgements, criterion: int) -> str:
    return (
        f"All grades of {main.criteria[criterion]} are on one side of 0. Below 0 means that A is better: "
        "subtract the middle of the scale first if it is not 0."
    )


def as_json(value: Any) -> Any:
    """Dataclasses as dicts, tuples as lists, numbers of numpy as Python's."""
    if isinstance(value, NotEstimable):
        return {"estimate": None, "reason": value.reason}
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: as_json(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {key: as_json(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [as_json(item) for item in value]
    return value
