"""The answer in a sentence: who is preferred, on what, and how far that can be trusted. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from annotation.reporting.words import NBSP, count, in_words, is_known, percent, points, score_texts

type Json = dict[str, Any]


class Finding(StrEnum):
    """What can be said about one criterion of one pair."""

    PREFERRED = "preferred"
    UNCORRECTED = "uncorrected"
    EQUAL = "equal"
    OPEN = "open"
    ALONE = "alone"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Verdict:
    """A finding, who it favours, and the few words of the table."""

    finding: Finding
    winner: str
    words: str
    why: str


@dataclass(frozen=True)
class Part:
    """A piece of a sentence; `is_strong` where it is set in bold."""

    text: str
    is_strong: bool = False


@dataclass(frozen=True)
class Answer:
    """One sentence in pieces, and the line below it that says what its figures are."""

    parts: tuple[Part, ...]
    lede: str

    @property
    def text(self) -> str:
        return "".join(part.text for part in self.parts)


@dataclass(frozen=True)
class Told:
    """One criterion of a pair with its figures and its verdict."""

    name: str
    matchup: Json
    verdict: Verdict


def is_running(matchup: Json) -> bool:
    """Whether the study ran when its report was made: then the band stands where the interval will."""
    return matchup["band"] is not None


def headline(matchup: Json) -> Json:
    """The figure a pair is judged by: the band while the study runs, the two-way interval afterwards.

    One annotator has no two-way interval; then it is the one for new dialogues and this annotator.
    """
    if is_running(matchup):
        return dict(matchup["band"])
    alone = matchup["n_annotators"] == 1 and is_known(matchup["win_score_b_items"])
    return dict(matchup["win_score_b_items" if alone else "win_score_b"])


def verdict(matchup: Json, *, level: float) -> Verdict:
    """Say what one criterion of one pair shows; a preference is one that holds after correction for all tests."""
    figure, running = headline(matchup), is_running(matchup)
    if not is_known(figure):
        return Verdict(Finding.UNKNOWN, "", "Too early" if running else "Not estimable", figure["reason"])
    if matchup["n_annotators"] == 1:
        return Verdict(Finding.ALONE, "", "Not estimable", "one annotator alone; the range is for new dialogues only")
    name = "band" if running else f"{percent(level)} interval"
    if _clears_half(figure):
        winner = matchup["system_b"] if figure["estimate"] > 0.5 else matchup["system_a"]
        if _holds(matchup, level):
            return Verdict(Finding.PREFERRED, winner, f"{winner} is preferred", f"{name} clears 50{NBSP}%")
        return Verdict(Finding.UNCORRECTED, winner, f"Leans to {winner}", "does not hold after correction")
    equivalence = matchup.get("equivalence")
    if not running and equivalence and equivalence.get("is_equivalent"):
        margin = points(equivalence["margin"])
        return Verdict(Finding.EQUAL, "", "No relevant difference", f"within ±{margin} points (TOST)")
    return Verdict(Finding.OPEN, "", "Not settled yet" if running else "Not settled", f"{name} includes 50{NBSP}%")


def _holds(matchup: Json, level: float) -> bool:
    """After correction: the wider band that all bands share, or Holm's p value."""
    if is_running(matchup):
        return is_known(matchup["band_together"]) and _clears_half(matchup["band_together"])
    return matchup["holm_p"] is not None and matchup["holm_p"] < 1 - level


def _clears_half(figure: Json) -> bool:
    return not figure["low"] <= 0.5 <= figure["high"]


def answer(found: Sequence[tuple[str, Json]], *, level: float, family: int) -> Answer:
    """Put the verdicts on one pair into one sentence. `found`: names of criteria with their figures."""
    told = [Told(name, matchup, verdict(matchup, level=level)) for name, matchup in found]
    running = any(is_running(matchup) for _, matchup in found)
    if running and all(each.verdict.finding == Finding.UNKNOWN for each in told):
        lede = _lede(found, level=level, family=family, running=running)
        return Answer((Part(f"Too early to tell: {told[0].verdict.why}."),), lede)
    ordered = sorted(told, key=lambda each: _ORDER.index(each.verdict.finding))
    clauses: list[list[Part]] = []
    for place, each in enumerate(ordered):
        before = ordered[place - 1] if place else None
        clauses.append(_clause(each, before, level))
    held = [each for each in told if each.verdict.finding == Finding.PREFERRED]
    if correction := _correction(len(held), len(told), family):
        clauses.append([Part(correction)])
    return Answer(tuple(_joined(clauses)), _lede(found, level=level, family=family, running=running))


_ORDER = list(Finding)


def _clause(told: Told, before: Told | None, level: float) -> list[Part]:
    same = before is not None and before.verdict.finding == told.verdict.finding
    same = same and before is not None and before.verdict.winner == told.verdict.winner
    told_by = _CLAUSES[told.verdict.finding]
    on = [Part("On " if before is None else "on "), Part(told.name.lower(), is_strong=True)]
    return on + told_by(told, same, _figures(told, level, is_first=before is None))


def _figures(told: Told, level: float, *, is_first: bool) -> str:
    """The win score of whoever is ahead of whom the clause speaks; the first clause says what the numbers are."""
    figure = headline(told.matchup)
    if not is_known(figure):
        return ""
    if told.verdict.winner == told.matchup["system_a"]:
        figure |= {"estimate": 1 - figure["estimate"], "low": 1 - figure["high"], "high": 1 - figure["low"]}
    estimate, low, high = score_texts(figure)
    if not is_first:
        return f"{estimate}{NBSP}%, {low} to {high}"
    m = told.matchup
    kind = " band" if is_running(m) else ""
    what = "finished comparison" if is_running(m) else "comparison"
    sizes = f"{count(figure['n_items'], what)}, {count(figure['n_annotators'], 'annotator')}"
    of = "" if told.verdict.winner else f" for {m['system_b']}"
    return f"{estimate}{NBSP}% win score{of}, {percent(level)}{kind} between {low} and {high}, {sizes}"


type Telling = Callable[[Told, bool, str], list[Part]]


def _preferred(told: Told, same: bool, figures: str) -> list[Part]:
    if same:
        return [Part(f" too: {figures}")]
    return [Part(" people prefer "), Part(told.verdict.winner, is_strong=True), Part(f": {figures}")]


def _uncorrected(told: Told, same: bool, figures: str) -> list[Part]:
    winner = Part(told.verdict.winner, is_strong=True)
    return [Part(" they lean to "), winner, Part(f" ({figures}), which does not hold after correction")]


def _equal(told: Told, same: bool, figures: str) -> list[Part]:
    margin = points(told.matchup["equivalence"]["margin"])
    return [Part(f" the two do not differ by more than {margin} points ({figures}), the margin set beforehand")]


def _open(told: Told, same: bool, figures: str) -> list[Part]:
    if same:
        return [Part(f" neither ({figures})")]
    yet = " yet" if is_running(told.matchup) else ""
    return [Part(f" the study cannot tell{yet} which is preferred ({figures})")]


def _alone(told: Told, same: bool, figures: str) -> list[Part]:
    if same:
        return [Part(f" {figures}")]
    return [Part(f" what people prefer is not estimable from one annotator, whose answers give {figures}")]


def _unknown(told: Told, same: bool, figures: str) -> list[Part]:
    if same:
        return [Part(" too")]
    if is_running(told.matchup):
        return [Part(f" it is too early to tell: {told.verdict.why}")]
    return [Part(f" nothing can be estimated: {told.verdict.why}")]


_CLAUSES: dict[Finding, Telling] = {
    Finding.PREFERRED: _preferred,
    Finding.UNCORRECTED: _uncorrected,
    Finding.EQUAL: _equal,
    Finding.OPEN: _open,
    Finding.ALONE: _alone,
    Finding.UNKNOWN: _unknown,
}


def _correction(held: int, criteria: int, family: int) -> str:
    """What of the preferences holds when all tests of the report are taken together."""
    if not held or family < 2:
        return ""
    tests = "" if family == criteria else f" for all {in_words(family)} tests"
    if held == 1:
        return f"the difference holds after correction{tests}"
    if held == criteria:
        return f"the {in_words(held)} criteria together hold after correction{tests}"
    return f"the {in_words(held)} differences together hold after correction{tests}"


def _joined(clauses: Sequence[Sequence[Part]]) -> list[Part]:
    parts: list[Part] = []
    for place, clause in enumerate(clauses):
        parts += [Part("; "), *clause] if place else clause
    return [*parts, Part(".")]


def _lede(found: Sequence[tuple[str, Json]], *, level: float, family: int, running: bool) -> str:
    largest = max((m for _, m in found), key=lambda m: int(m["n_judgements"]))
    numbers = (
        f"{count(largest['n_items'], 'comparison')}, {count(largest['n_judgements'], 'judgement')} for each criterion, "
        f"{count(largest['n_annotators'], 'annotator')}."
    )
    if running:
        return (
            f"{numbers} While the study runs the ranges are {percent(level)} bands made for looking at any time; they "
            "are a heuristic, checked by simulation. The narrower fixed interval appears when the study is closed."
        )
    if largest["n_annotators"] == 1:
        return f"{numbers} Ranges are {percent(level)} intervals for new dialogues and this one annotator."
    return (
        f"{numbers} Ranges are {percent(level)} intervals for new dialogues and new annotators; preferences hold after "
        f"Holm's correction over {count(family, 'test')}."
    )
