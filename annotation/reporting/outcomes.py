"""Wins, ties and losses of one pair by criterion: the main table of the page, and all its figures. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from annotation.reporting import drawings, plots
from annotation.reporting.answers import Verdict, headline, is_running, verdict
from annotation.reporting.figures import Figure, Json, TableRow, limits, named, spread
from annotation.reporting.words import NBSP, between, bracketed, is_known, p_value, percent, score_texts


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


def criterion_rows(found: Sequence[tuple[str, Json]], level: float) -> tuple[CriterionRow, ...]:
    """The main table, bars on one scale."""
    drawn = plots.diverging([_outcome(m) for _, m in found])
    return tuple(_criterion_row(name, m, plot, level) for (name, m), plot in zip(found, drawn, strict=True))


def _outcome(matchup: Json) -> plots.Outcome:
    n = matchup["n_judgements"]
    figure = headline(matchup)
    ends = (figure["low"], figure["high"]) if is_known(figure) else None
    return plots.Outcome(matchup["a_wins"] / n, matchup["ties"] / n, matchup["b_wins"] / n, ends)


def _criterion_row(name: str, m: Json, plot: plots.Diverging, level: float) -> CriterionRow:
    figure, n = headline(m), m["n_judgements"]
    a, tie, b = (percent(m[key] / n) for key in ("a_wins", "ties", "b_wins"))
    return CriterionRow(
        name=name,
        plot=plot,
        shares=f"{m['system_b']} wins {b}, ties {tie}, {m['system_a']} wins {a}",
        win_score=f"{score_texts(figure)[0]}{NBSP}%" if is_known(figure) else "–",
        interval=between(figure) if is_known(figure) else "",
        n_items=m["n_items"],
        n_judgements=n,
        verdict=verdict(m, level=level),
    )


def outcomes_figure(found: Sequence[tuple[str, Json]], key: str, *, level: float) -> Figure:
    """All figures of a pair; what may only be looked at once waits for the close of the study."""
    first = found[0][1]
    running = is_running(first)
    head: tuple[str, ...] = ("Criterion", "Wins", "Ties", "Losses", "Both bad", "Annotators")
    if not running:
        head += _TESTED_HEAD
    rows = [TableRow(name, _counted(m) + (() if running else _tested(m))) for name, m in found]
    drawn = plots.diverging([_outcome(m) for _, m in found])
    lines = [(name, plot, _of_line(m)) for (name, m), plot in zip(found, drawn, strict=True)]
    return Figure(
        key=key,
        title=f"Win, tie, loss: {first['system_b']} against {first['system_a']}",
        kind="outcomes",
        plot=None,
        drawing=drawings.outcomes(
            lines, loser=first["system_a"], winner=first["system_b"], kind="band" if running else percent(level)
        ),
        head=head,
        rows=tuple(rows),
        numbers=tuple({**whose, **_numbers(m)} for _, whose, m in named(found)),
    )


_TESTED_HEAD = (
    "Win rate without ties",
    "Win score, these annotators",
    "p",
    "p, corrected",
    "Majorities",
    "Sign test p",
)


def _of_line(matchup: Json) -> str:
    return bracketed(headline(matchup))


def _counted(m: Json) -> tuple[str, ...]:
    return tuple(f"{m[key]:,}" for key in ("b_wins", "ties", "a_wins", "both_bad", "n_annotators"))


def _tested(m: Json) -> tuple[str, ...]:
    majority = m["majority"]
    won, tied, lost, none = (majority[key] for key in ("b_wins", "ties", "a_wins", "no_majority"))
    return (
        bracketed(m["win_rate_b_no_ties"]),
        bracketed(m["win_score_b_items"]),
        p_value(m["p"]),
        p_value(m["holm_p"]),
        f"{won} won, {tied} tied, {lost} lost, {none} none",
        p_value(m["sign_test"]["p"]),
    )


def _numbers(m: Json) -> Json:
    """Counts and the headline; what a running study may not show yet is not in its file either."""
    counts = {
        name: m[name] for name in ("n_items", "n_judgements", "n_annotators", "b_wins", "ties", "a_wins", "both_bad")
    }
    running = is_running(m)
    tested = {} if running else {"p": m["p"], "holm_p": m["holm_p"], "sign_test_p": m["sign_test"]["p"]}
    return {**counts, "range": "band" if running else "interval", **spread("win_score_b", headline(m)), **tested}


def overview_figure(pairs: Sequence[Sequence[tuple[str, Json]]]) -> Figure:
    """The win score of every criterion and pair under each other; pairs in the order of their pages."""
    rows = [(f"{m['system_b']} against {m['system_a']}", whose, m) for found in pairs for _, whose, m in named(found)]
    labelled = [
        plots.Labelled(f"{whose['criterion']}: {label}", bracketed(headline(m)), limits(headline(m)))
        for label, whose, m in rows
    ]
    names = [name for name, _ in pairs[0]]
    return Figure(
        key="overview",
        title="Win scores of all pairs",
        kind="intervals",
        plot=None,
        drawing=plots.intervals(labelled, ((0.5, "50 %"),), width=720, label=380),
        head=("Pair", *names),
        rows=tuple(_pair_row(found, names) for found in pairs),
        numbers=tuple({**whose, **_numbers(m)} for _, whose, m in rows),
    )


def _pair_row(found: Sequence[tuple[str, Json]], names: Sequence[str]) -> TableRow:
    cells = {name: bracketed(headline(m)) for name, m in found}
    first = found[0][1]
    return TableRow(f"{first['system_b']} against {first['system_a']}", tuple(cells.get(name, "–") for name in names))
