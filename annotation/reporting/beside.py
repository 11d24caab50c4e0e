"""The same win scores for different choices of judgements, side by side. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from annotation.reporting import plots
from annotation.reporting.answers import headline, verdict
from annotation.reporting.figures import Figure, Json, TableRow, limits, spread
from annotation.reporting.words import bracketed, coefficient, is_known


@dataclass(frozen=True)
class Choice:
    """One choice of judgements with its report, or the reason why there is none.

    tells_agreement: false where annotators were chosen by how well they agree, as agreement then says nothing.
    """

    label: str
    report: Json | None
    reason: str = ""
    tells_agreement: bool = True


def beside_figure(choices: Sequence[Choice], names: Mapping[str, str]) -> Figure:
    """Every criterion and pair of any choice, one row a choice."""
    found = [(choice, _by_name(choice.report, names)) for choice in choices]
    keys = list(dict.fromkeys(key for _, by_name in found for key in by_name))
    several = len({key[1:] for key in keys}) > 1
    rows = [(_label(key, several), key, choice, by_name.get(key)) for key in keys for choice, by_name in found]
    drawn = [
        plots.Labelled(f"{name}, {choice.label}", _range(m), limits(headline(m)) if m else None)
        for name, _, choice, m in rows
    ]
    return Figure(
        key="side-by-side",
        title="Win scores by choice of judgements",
        kind="intervals",
        plot=plots.intervals(drawn, ((0.5, "50 %"),), width=640, label=330),
        drawing=plots.intervals(drawn, ((0.5, "50 %"),), width=720, label=380),
        head=("Criterion", "Judgements of", "Win score", "Finding", "Alpha", "Judgements", "Comparisons", "Annotators"),
        rows=tuple(TableRow(name, _cells(choice, m)) for name, _, choice, m in rows),
        numbers=tuple(_numbers(key, choice, m) for _, key, choice, m in rows),
        notes=tuple(f"{choice.label}: {choice.reason}" for choice in choices if choice.reason),
    )


type Key = tuple[str, str, str]


def _by_name(report: Json | None, names: Mapping[str, str]) -> dict[Key, Json]:
    if report is None:
        return {}
    level = {"level": report["settings"]["level"]}
    return {
        (names.get(c["criterion"], c["criterion"]), m["system_a"], m["system_b"]): m | level
        for c in report["criteria"]
        for m in c["matchups"]
    }


def _label(key: Key, several: bool) -> str:
    return f"{key[0]} ({key[2]} against {key[1]})" if several else key[0]


def _range(matchup: Json | None) -> str:
    return bracketed(headline(matchup)) if matchup else "–"


def _cells(choice: Choice, m: Json | None) -> tuple[str, ...]:
    if m is None:
        return (choice.label, *["–"] * 6)
    alpha = m["agreement"]["alpha_ordinal"]
    shown = coefficient(alpha["estimate"]) if is_known(alpha) else "–"
    return (
        choice.label,
        _range(m),
        verdict(m, level=m["level"]).words,
        shown if choice.tells_agreement else "not told",
        *(f"{m[name]:,}" for name in ("n_judgements", "n_items", "n_annotators")),
    )


def _numbers(key: Key, choice: Choice, m: Json | None) -> Json:
    name, system_a, system_b = key
    which = {"criterion": name, "system_a": system_a, "system_b": system_b, "judgements_of": choice.label}
    counts = {count: m[count] if m else None for count in ("n_judgements", "n_items", "n_annotators")}
    alpha = m["agreement"]["alpha_ordinal"] if m and choice.tells_agreement else None
    return {**which, **counts, **spread("win_score_b", headline(m) if m else None), **spread("alpha_ordinal", alpha)}
