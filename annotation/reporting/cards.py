"""The questions behind the answer: agreement, pull to a side or to length, and where the variance is. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from annotation.reporting import drawings, plots
from annotation.reporting.answers import is_running
from annotation.reporting.figures import Figure, Json, TableRow, limits, named, spread, unique
from annotation.reporting.words import bracketed, coefficient, is_known, listed, percent

# Chance agreement, and a value that is usual for preferences: marks to read by, not limits.
ALPHA_TICKS = ((0.0, "0"), (0.3, ".3"))
HALF = ((0.5, "50 %"),)
WIDE = 560.0
WIDE_LABEL = 240.0


def agreement_figure(found: Sequence[tuple[str, Json]], key: str) -> Figure:
    """Krippendorff's alpha by criterion; percent agreement and AC1 stand in the table."""
    rows = [(name, m["agreement"]) for name, m in found]
    drawn = [plots.Labelled(name, _alpha(a["alpha_ordinal"]), limits(a["alpha_ordinal"])) for name, a in rows]
    return Figure(
        key=key,
        title="Agreement: Krippendorff’s alpha, ordinal",
        kind="intervals",
        plot=plots.intervals(drawn, ALPHA_TICKS),
        drawing=plots.intervals(drawn, ALPHA_TICKS, width=WIDE, label=WIDE_LABEL),
        head=("Criterion", "Alpha", "95 %", "Nominal", "Agreeing pairs", "AC1", "Comparisons"),
        rows=tuple(TableRow(name, _agreement_cells(a)) for name, a in rows),
        numbers=tuple({**whose, **_agreement_numbers(m["agreement"])} for _, whose, m in named(found)),
        notes=unique([*_reasons(rows), *(f"{name}: {note}" for name, a in rows for note in a["notes"])]),
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


def _agreement_numbers(a: Json) -> Json:
    return {
        **spread("alpha_ordinal", a["alpha_ordinal"]),
        **spread("alpha_nominal", a["alpha_nominal"]),
        "percent": a["percent"],
        "ac1": a["ac1"],
        "n_items_multi": a["n_items_multi"],
    }


def _reasons(rows: Sequence[tuple[str, Json]]) -> list[str]:
    return [
        f"{name}: not estimable, {a['alpha_ordinal']['reason']}."
        for name, a in rows
        if not is_known(a["alpha_ordinal"])
    ]


def _alpha(figure: Json) -> str:
    if not is_known(figure):
        return "–"
    low, high = coefficient(figure["low"]), coefficient(figure["high"])
    return f"{coefficient(figure['estimate'])} ({low}–{high})"


def position_figure(found: Sequence[tuple[str, Json]], key: str) -> Figure | None:
    """How often the left response won, and the win score with sides in balance."""
    rows = [(name, m["position"], m) for name, m in found if m["position"]]
    if not rows:
        return None
    drawn = [plots.Labelled(name, bracketed(p["left_share"]), limits(p["left_share"])) for name, p, _ in rows]
    return Figure(
        key=key,
        title="Position: how often Left won, of decided judgements",
        kind="intervals",
        plot=plots.intervals(drawn, HALF),
        drawing=plots.intervals(drawn, HALF, width=WIDE, label=WIDE_LABEL),
        head=("Criterion", "Left won", "Win score", "Without the pull"),
        rows=tuple(
            TableRow(name, (bracketed(p["left_share"]), _shown(m["win_score_b"], m), _shown(_corrected(p), m)))
            for name, p, m in rows
        ),
        numbers=tuple(
            {**whose, **spread("left_share", m["position"]["left_share"]), **_beside(m, _corrected(m["position"]))}
            for _, whose, m in named(found)
            if m["position"]
        ),
        notes=(_position_sentence(rows), _corrected_sentence([(n, _corrected(p), m) for n, p, m in rows])),
    )


def _corrected(position: Json) -> Json:
    return dict(position["corrected_win_score_b"])


def _shown(figure: Json, matchup: Json) -> str:
    """A win score in a table. A running study shows no interval but its band, so here only the estimate."""
    if not is_known(figure):
        return "–"
    return percent(figure["estimate"]) if is_running(matchup) else bracketed(figure)


def _beside(matchup: Json, corrected: Json) -> Json:
    """The raw and the corrected win score as numbers; limits only once the study is closed."""
    if is_running(matchup):
        return {"win_score_b": matchup["win_score_b"]["estimate"], "corrected": corrected["estimate"]}
    return {**spread("win_score_b", matchup["win_score_b"]), **spread("corrected", corrected)}


def _position_sentence(rows: Sequence[tuple[str, Json, Json]]) -> str:
    pulled = [name for name, p, _ in rows if _excludes(p["left_share"], 0.5)]
    if not pulled:
        return "No clear pull to one side."
    return f"A pull to one side on {listed(pulled)}. Where sides are balanced it costs precision, not fairness."


def _corrected_sentence(rows: Sequence[tuple[str, Json, Json]]) -> str:
    """What the correction does to every win score, in one sentence."""
    changes = [
        f"{name} {percent(corrected['estimate'], 1)} (as judged {percent(m['win_score_b']['estimate'], 1)})"
        for name, corrected, m in rows
        if is_known(corrected) and is_known(m["win_score_b"])
    ]
    return (
        f"Win scores corrected for it: {', '.join(changes)}." if changes else "No corrected win score: not estimable."
    )


def _excludes(figure: Json, value: float) -> bool:
    return is_known(figure) and not figure["low"] <= value <= figure["high"]


def length_figure(found: Sequence[tuple[str, Json]], key: str) -> Figure | None:
    """The win score if both responses were equally long; a running study shows the estimates alone."""
    rows = [(name, m["length"], m) for name, m in found if m["length"]]
    if not rows:
        return None
    drawn = [plots.Labelled(n, _shown(x["at_equal_length"], m), _unless_running(x, m)) for n, x, m in rows]
    ratio = rows[0][1]["mean_ratio"]
    return Figure(
        key=key,
        title="Length: win score if both responses were equally long",
        kind="intervals",
        plot=plots.intervals(drawn, HALF),
        drawing=plots.intervals(drawn, HALF, width=WIDE, label=WIDE_LABEL),
        head=("Criterion", "Win score", "At equal length"),
        rows=tuple(TableRow(n, (_shown(m["win_score_b"], m), _shown(x["at_equal_length"], m))) for n, x, m in rows),
        numbers=tuple(
            {**whose, "mean_ratio": m["length"]["mean_ratio"], **_beside(m, m["length"]["at_equal_length"])}
            for _, whose, m in named(found)
            if m["length"]
        ),
        notes=(
            _corrected_sentence([(n, x["at_equal_length"], m) for n, x, m in rows]),
            f"Responses of {rows[0][2]['system_b']} are on average {ratio:.2f} times as long. A sensitivity figure, "
            "not a correction to believe: quality and length go together.",
        ),
    )


def _unless_running(length: Json, matchup: Json) -> tuple[float, float, float] | None:
    return None if is_running(matchup) else limits(length["at_equal_length"])


@dataclass(frozen=True)
class VarianceCard:
    """Where the variance of one criterion is, and what would narrow its interval."""

    criterion: str
    plot: plots.Split | None
    shares: str
    sentence: str


def variance_cards(found: Sequence[tuple[str, Json]]) -> tuple[VarianceCard, ...]:
    """One card a criterion."""
    return tuple(_variance_card(name, m) for name, m in found)


def variance_figure(found: Sequence[tuple[str, Json]], key: str) -> Figure:
    """The same split for all criteria under each other, and what it advises."""
    known = [(name, m["variance_shares"]) for name, m in found if "reason" not in m["variance_shares"]]
    return Figure(
        key=key,
        title="Where the spread of judgements is",
        kind="splits",
        plot=None,
        drawing=drawings.splits([(name, _parts(shares)) for name, shares in known]),
        head=("Criterion", "Dialogues", "Annotators", "Rest", "What would narrow the interval"),
        rows=tuple(TableRow(name, _variance_cells(m)) for name, m in found),
        numbers=tuple({**whose, **_variance_numbers(m)} for _, whose, m in named(found)),
    )


def _parts(shares: Mapping[str, float]) -> list[tuple[str, float]]:
    return [("acc", shares["items"]), ("tie", shares["annotators"]), ("sunk", shares["rest"])]


def _variance_card(name: str, m: Json) -> VarianceCard:
    shares = m["variance_shares"]
    if "reason" in shares:
        return VarianceCard(name, None, "", f"Not estimable: {shares['reason']}.")
    items, annotators, rest = (percent(share) for _, share in _parts(shares))
    words = f"{items} dialogues · {annotators} annotators · {rest} rest"
    return VarianceCard(name, plots.split(_parts(shares)), words, _advice(m))


def _advice(m: Json) -> str:
    """The advice in words; a running study does not tell the width of its fixed interval."""
    advice = m["advice"]
    if "sentence" not in advice:
        return f"No advice: {advice['reason']}."
    sentence = str(advice["sentence"])
    return f"{sentence.split(':')[0].replace('interval', 'band')}." if is_running(m) else sentence


def _variance_cells(m: Json) -> tuple[str, ...]:
    shares = m["variance_shares"]
    if "reason" in shares:
        return ("–", "–", "–", f"Not estimable: {shares['reason']}.")
    return (*(percent(share) for _, share in _parts(shares)), _advice(m))


def _variance_numbers(m: Json) -> Json:
    shares, advice = m["variance_shares"], m["advice"]
    return {name: shares.get(name) for name in ("items", "annotators", "rest")} | {"advice": advice.get("add")}
