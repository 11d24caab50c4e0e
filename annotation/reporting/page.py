"""What the results page shows, worked out of a report: one answer, then a card for every question behind it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from annotation.reporting import plots
from annotation.reporting.answers import Answer, Verdict, answer, verdict
from annotation.reporting.words import between, coefficient, is_known, p_value, percent, points

type Json = dict[str, Any]

# How people call the columns by which win scores are split.
COLUMN_NAMES = {"dialogue_kind": "kind of dialogue"}

# Chance agreement, and a value that is usual for preferences: marks to read by, not limits.
ALPHA_TICKS = ((0.0, "0"), (0.3, ".3"))


@dataclass(frozen=True)
class CriterionRow:
    """One line of the main table."""

    name: str
    plot: plots.Diverging
    shares: str
    win_score: str
    interval: str
    n_items: int
    n_judgements: int
    verdict: Verdict


@dataclass(frozen=True)
class TableRow:
    """A row of a table beside a plot: a name and its cells as text."""

    name: str
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Figure:
    """A plot, the table with the same numbers, and sentences below."""

    plot: Any
    head: tuple[str, ...]
    rows: tuple[TableRow, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class VarianceCard:
    """Where the variance of one criterion is, and what would narrow its interval."""

    criterion: str
    plot: plots.Split | None
    items: str
    annotators: str
    rest: str
    sentence: str


@dataclass(frozen=True)
class ForestCard:
    """Win scores within the parts of the data that one column makes: a figure for each criterion, by name."""

    column: str
    figures: tuple[tuple[str, Figure], ...]


@dataclass(frozen=True)
class MatchupPage:
    """Everything about one pair of agents."""

    system_a: str
    system_b: str
    answer: Answer
    rows: tuple[CriterionRow, ...]
    all_figures: Figure
    agreement: Figure
    position: Figure | None
    length: Figure | None
    variance: tuple[VarianceCard, ...]
    forests: tuple[ForestCard, ...]
    notes: tuple[str, ...]


def matchup_pages(report: Json, names: Mapping[str, str]) -> list[MatchupPage]:
    """Turn a report into pages, one a pair of agents. `names`: criterion key to the name that people read."""
    pairs = dict.fromkeys((m["system_a"], m["system_b"]) for c in report["criteria"] for m in c["matchups"])
    return [_matchup_page(report, pair, names) for pair in pairs]


def _matchup_page(report: Json, pair: tuple[str, str], names: Mapping[str, str]) -> MatchupPage:
    found = [
        (names.get(c["criterion"], c["criterion"]), m)
        for c in report["criteria"]
        for m in c["matchups"]
        if (m["system_a"], m["system_b"]) == pair
    ]
    level = report["settings"]["level"]
    is_open = report["settings"]["planned_items"] is not None
    return MatchupPage(
        system_a=pair[0],
        system_b=pair[1],
        answer=answer(found, level=level, family=report["family"]["size"]),
        rows=tuple(_criterion_rows(found, level)),
        all_figures=_all_figures(found, is_open),
        agreement=agreement_figure(found),
        position=_position_figure(found),
        length=None if is_open else _length_figure(found),
        variance=tuple(_variance_card(name, m) for name, m in found),
        forests=() if is_open else tuple(_forests(report, pair, dict(found), names)),
        notes=tuple(dict.fromkeys(note for _, m in found for note in m["notes"])),
    )


def headline(matchup: Json) -> Json:
    """The figure that a matchup is judged by: the band while the study runs, the fixed interval afterwards."""
    chosen: Json = matchup["band"] if matchup["band"] is not None else matchup["win_score_b"]
    return chosen


def _criterion_rows(found: Sequence[tuple[str, Json]], level: float) -> list[CriterionRow]:
    drawn = plots.diverging([_outcome(m) for _, m in found])
    return [_criterion_row(name, m, plot, level) for (name, m), plot in zip(found, drawn, strict=True)]


def _outcome(matchup: Json) -> plots.Outcome:
    n = matchup["n_judgements"]
    figure = headline(matchup)
    limits = (figure["low"], figure["high"]) if is_known(figure) else None
    return plots.Outcome(matchup["a_wins"] / n, matchup["ties"] / n, matchup["b_wins"] / n, limits)


def _criterion_row(name: str, m: Json, plot: plots.Diverging, level: float) -> CriterionRow:
    figure, n = headline(m), m["n_judgements"]
    a, tie, b = (percent(m[key] / n) for key in ("a_wins", "ties", "b_wins"))
    return CriterionRow(
        name=name,
        plot=plot,
        shares=f"{m['system_b']} wins {b}, ties {tie}, {m['system_a']} wins {a}",
        win_score=percent(figure["estimate"]) if is_known(figure) else "–",
        interval=between(figure) if is_known(figure) else "",
        n_items=m["n_items"],
        n_judgements=n,
        verdict=verdict(m, level=level),
    )


def _all_figures(found: Sequence[tuple[str, Json]], is_open: bool) -> Figure:
    """The numbers behind the bars; what may only be looked at once waits for the close of the study."""
    head: tuple[str, ...] = ("Criterion", "Wins", "Ties", "Losses", "Both bad", "Annotators")
    if not is_open:
        head += (
            "Win rate without ties",
            "Win score, these annotators",
            "p",
            "p, corrected",
            "Majorities",
            "Sign test p",
        )
    rows = [TableRow(name, _counted(m) + (() if is_open else _tested(m))) for name, m in found]
    return Figure(plot=None, head=head, rows=tuple(rows))


def _counted(m: Json) -> tuple[str, ...]:
    return tuple(f"{m[key]:,}" for key in ("b_wins", "ties", "a_wins", "both_bad", "n_annotators"))


def _tested(m: Json) -> tuple[str, ...]:
    majority = m["majority"]
    won, tied, lost, none = (majority[key] for key in ("b_wins", "ties", "a_wins", "no_majority"))
    return (
        _share_text(m["win_rate_b_no_ties"]),
        _share_text(m["win_score_b_items"]),
        p_value(m["p"]),
        p_value(m["holm_p"]),
        f"{won} won, {tied} tied, {lost} lost, {none} none",
        p_value(m["sign_test"]["p"]),
    )


def agreement_figure(found: Sequence[tuple[str, Json]]) -> Figure:
    """Krippendorff's alpha by criterion; percent agreement and AC1 stand in the table."""
    rows = [(name, m["agreement"]) for name, m in found]
    drawn = [plots.Labelled(name, _bracketed(a["alpha_ordinal"]), _limits(a["alpha_ordinal"])) for name, a in rows]
    return Figure(
        plot=plots.intervals(drawn, ALPHA_TICKS),
        head=("Criterion", "Alpha", "95 %", "Nominal", "Agreeing pairs", "AC1", "Comparisons"),
        rows=tuple(TableRow(name, _agreement_cells(a)) for name, a in rows),
        notes=tuple(dict.fromkeys([*_reasons(rows), *(f"{name}: {note}" for name, a in rows for note in a["notes"])])),
    )


def _agreement_cells(a: Json) -> tuple[str, ...]:
    alpha = a["alpha_ordinal"]
    return (
        coefficient(alpha["estimate"]) if is_known(alpha) else "not estimable",
        f"{coefficient(alpha['low'])} to {coefficient(alpha['high'])}" if is_known(alpha) else "–",
        coefficient(a["alpha_nominal"]["estimate"]) if is_known(a["alpha_nominal"]) else "–",
        "–" if a["percent"] is None else percent(a["percent"]),
        "–" if a["ac1"] is None else coefficient(a["ac1"]),
        f"{a['n_items_multi']:,}",
    )


def _reasons(rows: Sequence[tuple[str, Json]]) -> list[str]:
    return [
        f"{name}: not estimable, {a['alpha_ordinal']['reason']}."
        for name, a in rows
        if not is_known(a["alpha_ordinal"])
    ]


def _bracketed(figure: Json) -> str:
    if not is_known(figure):
        return "–"
    low, high = coefficient(figure["low"]), coefficient(figure["high"])
    return f"{coefficient(figure['estimate'])} ({low}–{high})"


def _limits(figure: Json) -> tuple[float, float, float] | None:
    return (figure["low"], figure["estimate"], figure["high"]) if is_known(figure) else None


def _share_text(figure: Json) -> str:
    if not is_known(figure):
        return "–"
    return f"{points(figure['estimate'])} ({points(figure['low'])}–{points(figure['high'])})"


def _position_figure(found: Sequence[tuple[str, Json]]) -> Figure | None:
    rows = [(name, m["position"], m) for name, m in found if m["position"]]
    if not rows:
        return None
    drawn = [plots.Labelled(name, _share_text(p["left_share"]), _limits(p["left_share"])) for name, p, _ in rows]
    return Figure(
        plot=plots.intervals(drawn, ((0.5, "50 %"),)),
        head=("Criterion", "Left won", "95 %", "Win score", "Without the pull"),
        rows=tuple(TableRow(name, _bias_cells(p["left_share"], m, p["corrected_win_score_b"])) for name, p, m in rows),
        notes=(_position_sentence(rows),),
    )


def _bias_cells(figure: Json, matchup: Json, corrected: Json) -> tuple[str, ...]:
    score = matchup["win_score_b"]
    return (
        percent(figure["estimate"]) if is_known(figure) else "not estimable",
        between(figure) if is_known(figure) else "–",
        percent(score["estimate"]) if is_known(score) else "–",
        percent(corrected["estimate"]) if is_known(corrected) else "–",
    )


def _position_sentence(rows: Sequence[tuple[str, Json, Json]]) -> str:
    pulled = [name for name, p, _ in rows if _excludes(p["left_share"], 0.5)]
    if not pulled:
        return "No clear pull to one side. Sides are balanced, so it would not move the win scores."
    return f"A pull to one side on {', '.join(pulled)}. Sides are balanced, so it costs precision, not fairness."


def _excludes(figure: Json, value: float) -> bool:
    return is_known(figure) and not figure["low"] <= value <= figure["high"]


def _length_figure(found: Sequence[tuple[str, Json]]) -> Figure | None:
    rows = [(name, m["length"], m) for name, m in found if m["length"]]
    if not rows:
        return None
    drawn = [plots.Labelled(n, _share_text(x["at_equal_length"]), _limits(x["at_equal_length"])) for n, x, _ in rows]
    ratio = rows[0][1]["mean_ratio"]
    return Figure(
        plot=plots.intervals(drawn, ((0.5, "50 %"),)),
        head=("Criterion", "At equal length", "95 %", "Win score"),
        rows=tuple(TableRow(name, _bias_cells(x["at_equal_length"], m, m["win_score_b"])[:3]) for name, x, m in rows),
        notes=(
            f"Responses of {rows[0][2]['system_b']} are on average {ratio:.2f} times as long. A sensitivity figure, "
            "not a correction to believe: quality and length go together.",
        ),
    )


def _variance_card(name: str, m: Json) -> VarianceCard:
    shares, advice = m["variance_shares"], m["advice"]
    if "reason" in shares:
        return VarianceCard(name, None, "–", "–", "–", f"Not estimable: {shares['reason']}.")
    parts = [("acc", shares["items"]), ("tie", shares["annotators"]), ("sunk", shares["rest"])]
    sentence = advice["sentence"] if "sentence" in advice else f"No advice: {advice['reason']}."
    items, annotators, rest = (percent(share) for _, share in parts)
    return VarianceCard(name, plots.split(parts), items, annotators, rest, sentence)


def _forests(
    report: Json, pair: tuple[str, str], found: Mapping[str, Json], names: Mapping[str, str]
) -> list[ForestCard]:
    by_column: dict[str, list[tuple[str, Figure]]] = {}
    for part in report["strata"]:
        name = names.get(part["criterion"], part["criterion"])
        if (part["system_a"], part["system_b"]) == pair and len(part["strata"]) > 1:
            by_column.setdefault(part["column"], []).append((name, forest_figure(part, found[name])))
    return [ForestCard(COLUMN_NAMES.get(column, column), tuple(figures)) for column, figures in by_column.items()]


def forest_figure(part: Json, matchup: Json) -> Figure:
    """Win scores within the values of one column, against that of all."""
    whole = matchup["win_score_b"]
    strata = [
        plots.Stratum(s["value"], s["n_items"], _range(s["win_score_b"]), _limits(s["win_score_b"]))
        for s in part["strata"]
    ]
    return Figure(
        plot=plots.forest(strata, plots.Stratum("All", matchup["n_items"], _range(whole), _limits(whole))),
        head=("Part", "Win score", "95 %", "p, corrected", "Comparisons"),
        rows=tuple(TableRow(s["value"], _stratum_cells(s)) for s in part["strata"]),
        notes=(_forest_note(len(part["strata"]), part["strata"]),),
    )


def _forest_note(intervals: int, strata: Sequence[Json]) -> str:
    held = [s["value"] for s in strata if s["holm_p"] is not None and s["holm_p"] < 0.05]
    holds = f"only {', '.join(held)} clear 50 %" if held else "none clears 50 %"
    return f"{intervals} intervals, each on its own: about one in twenty misses by chance. After correction {holds}."


def _range(figure: Json) -> str:
    return f"{points(figure['low'])}–{points(figure['high'])}" if is_known(figure) else "–"


def _stratum_cells(stratum: Json) -> tuple[str, ...]:
    figure = stratum["win_score_b"]
    known = is_known(figure)
    return (
        percent(figure["estimate"]) if known else "not estimable",
        between(figure) if known else "–",
        p_value(stratum["holm_p"]),
        f"{stratum['n_items']:,}",
    )
