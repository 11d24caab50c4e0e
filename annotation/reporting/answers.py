"""The answer in a sentence: who is preferred, on what, and how far that can be trusted. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from annotation.reporting.words import between, count, is_known, listed, percent, points

type Json = dict[str, Any]


class Finding(StrEnum):
    """What can be said about one criterion of one pair."""

    PREFERRED = "preferred"
    UNCORRECTED = "uncorrected"
    EQUAL = "equal"
    OPEN = "open"
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
    """A headline in pieces, and the line of numbers below it."""

    parts: tuple[Part, ...]
    lede: str

    @property
    def text(self) -> str:
        return "".join(part.text for part in self.parts)


def verdict(matchup: Json, *, level: float) -> Verdict:
    """Say what one criterion of one pair shows: by the band while the study runs, corrected for its family later."""
    is_running = matchup["band"] is not None
    figure = matchup["band"] if is_running else matchup["win_score_b"]
    if not is_known(figure):
        return Verdict(Finding.UNKNOWN, "", "Too early" if is_running else "Not estimable", figure["reason"])
    winner = matchup["system_b"] if figure["estimate"] > 0.5 else matchup["system_a"]
    name = "band" if is_running else f"{percent(level)} interval"
    if not figure["low"] <= 0.5 <= figure["high"]:
        holds = is_running or (matchup["holm_p"] is not None and matchup["holm_p"] < 1 - level)
        if holds:
            return Verdict(Finding.PREFERRED, winner, f"{winner} is preferred", f"{name} clears 50 %")
        return Verdict(Finding.UNCORRECTED, winner, f"Leans to {winner}", "does not hold after correction")
    equivalence = matchup.get("equivalence")
    if equivalence and equivalence.get("is_equivalent"):
        margin = points(equivalence["margin"])
        return Verdict(Finding.EQUAL, "", "No relevant difference", f"within ±{margin} points (TOST)")
    words = "Not settled yet" if is_running else "Not settled"
    return Verdict(Finding.OPEN, "", words, f"{name} includes 50 %")


def answer(found: Sequence[tuple[str, Json]], *, level: float, family: int) -> Answer:
    """Put the verdicts on one pair into a sentence. `found`: names of criteria with their figures."""
    verdicts = [(name, m, verdict(m, level=level)) for name, m in found]
    is_running = any(m["band"] is not None for _, m in found)
    parts: list[Part] = []
    for winner in dict.fromkeys(v.winner for _, _, v in verdicts if v.finding == Finding.PREFERRED):
        parts += _preferred(winner, [(n, m) for n, m, v in verdicts if v.winner == winner and _is(v, "preferred")])
    parts += _others(verdicts, is_running)
    return Answer(tuple(parts), _lede(found, level=level, family=family, is_running=is_running))


def _is(given: Verdict, finding: str) -> bool:
    return given.finding == finding


def _preferred(winner: str, won: Sequence[tuple[str, Json]]) -> list[Part]:
    parts = [Part("People prefer "), Part(winner, is_strong=True), Part(" on ")]
    for place, (name, matchup) in enumerate(won):
        joint = "" if place == 0 else " and " if place == len(won) - 1 else ", "
        opening = "win score " if place == 0 else ""
        score, limits = _as_winner(matchup, winner)
        parts += [Part(joint), Part(name.lower(), is_strong=True), Part(f" ({opening}{score}, {limits})")]
    return [*parts, Part(". ")]


def _as_winner(matchup: Json, winner: str) -> tuple[str, str]:
    """The win score and its limits as the winner's own, whichever of the two it is."""
    figure = matchup["band"] if matchup["band"] is not None else matchup["win_score_b"]
    if winner != matchup["system_b"]:
        figure = {"estimate": 1 - figure["estimate"], "low": 1 - figure["high"], "high": 1 - figure["low"]}
    return percent(figure["estimate"]), between(figure)


def _others(verdicts: Sequence[tuple[str, Json, Verdict]], is_running: bool) -> list[Part]:
    sentences = []
    for finding, words in _OTHER_WORDS.items():
        names = [name.lower() for name, _, given in verdicts if given.finding == finding]
        if names:
            sentences.append(words[is_running].format(names=listed(names)))
    early = [given.why for _, _, given in verdicts if given.finding == Finding.UNKNOWN]
    if early and is_running:
        sentences.append(f"Too early to tell: {early[0]}.")
    return [Part(" ".join(sentences))] if sentences else []


# For a closed study, for a running one.
_OTHER_WORDS = {
    Finding.UNCORRECTED: (
        "On {names} there is a lean, but it does not hold after correction for all tests of this study.",
        "",
    ),
    Finding.EQUAL: ("On {names} the two are equally good within the margin set beforehand.",) * 2,
    Finding.OPEN: ("On {names} the study cannot tell which is preferred.", "On {names} the study cannot tell yet."),
}


def _lede(found: Sequence[tuple[str, Json]], *, level: float, family: int, is_running: bool) -> str:
    largest = max((m for _, m in found), key=lambda m: int(m["n_judgements"]))
    numbers = (
        f"{count(largest['n_items'], 'comparison')}, {count(largest['n_judgements'], 'judgement')} for each criterion, "
        f"{count(largest['n_annotators'], 'annotator')}."
    )
    if is_running:
        return (
            f"{numbers} While the study runs the ranges are {percent(level)} bands made for looking at any time; they "
            "are a heuristic, checked by simulation. The narrower fixed interval appears when the study is closed."
        )
    return (
        f"{numbers} Ranges are {percent(level)} intervals for new dialogues and new annotators; preferences hold after "
        f"Holm's correction over {count(family, 'test')}."
    )
