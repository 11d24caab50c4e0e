"""The report as a document: sentences and tables of text, the same for every format. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from annotation.reporting.answers import answer, headline
from annotation.reporting.forests import COLUMN_NAMES
from annotation.reporting.words import EN_DASH, between, is_known, p_value, percent, points

type Json = dict[str, Any]
type Named = Sequence[tuple[str, Json]]


@dataclass(frozen=True)
class Table:
    """A table of text: `key` names it in files, and the first cell of a row names the row."""

    key: str
    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Section:
    """One pair of agents: the answer, the numbers behind it, and its tables."""

    title: str
    answer: str
    lede: str
    tables: tuple[Table, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Paper:
    """A whole report. `warnings` must be read before any figure; `method` says how the figures were made."""

    title: str
    warnings: tuple[str, ...]
    sections: tuple[Section, ...]
    tables: tuple[Table, ...]
    method: tuple[str, ...]


def write_paper(report: Json, *, title: str, names: Mapping[str, str]) -> Paper:
    """Put a report into words and tables. `names`: criterion key to the name that people read."""
    pairs = dict.fromkeys((m["system_a"], m["system_b"]) for c in report["criteria"] for m in c["matchups"])
    return Paper(
        title=title,
        warnings=(*report["data"]["system_notes"], *report["notes"]),
        sections=tuple(_section(report, pair, names) for pair in pairs),
        tables=tuple(_rankings(report, names)),
        method=tuple(_method(report)),
    )


def _section(report: Json, pair: tuple[str, str], names: Mapping[str, str]) -> Section:
    found = [
        (names.get(c["criterion"], c["criterion"]), m)
        for c in report["criteria"]
        for m in c["matchups"]
        if (m["system_a"], m["system_b"]) == pair
    ]
    said = answer(found, level=report["settings"]["level"], family=report["family"]["size"])
    is_open = report["settings"]["planned_items"] is not None
    later = () if is_open else (_others(found), _biases(found), *_strata(report, pair, names))
    return Section(
        title=f"{pair[1]} against {pair[0]}",
        answer=said.text.strip(),
        lede=said.lede,
        tables=(_win_scores(found, is_open, report), _agreement(found), _variance(found), *later),
        notes=tuple(dict.fromkeys(note for _, m in found for note in m["notes"])),
    )


def _win_scores(found: Named, is_open: bool, report: Json) -> Table:
    limits = f"{percent(report['settings']['level'])} {'band' if is_open else 'interval'}"
    head: tuple[str, ...] = ("Criterion", "Wins", "Ties", "Losses", "Win score", limits)
    head += () if is_open else ("p", "p, Holm")
    return Table(
        "win-scores",
        "Wins, ties and losses in judgements; a tie counts half a win",
        (*head, "Dialogues", "Judgements", "Annotators"),
        tuple((name, *_win_score(m, is_open)) for name, m in found),
        tuple(f"{name}: not estimable, {headline(m)['reason']}." for name, m in found if not is_known(headline(m))),
    )


def _win_score(m: Json, is_open: bool) -> tuple[str, ...]:
    figure = headline(m)
    counts = tuple(f"{m[key]:,}" for key in ("b_wins", "ties", "a_wins"))
    tests = () if is_open else (p_value(m["p"]), p_value(m["holm_p"]))
    sizes = tuple(f"{m[key]:,}" for key in ("n_items", "n_judgements", "n_annotators"))
    return (*counts, _share(figure), _limits(figure), *tests, *sizes)


def _agreement(found: Named) -> Table:
    return Table(
        "agreement",
        "Agreement of annotators, intervals over dialogues",
        ("Criterion", "Alpha, ordinal", "95 % interval", "Alpha, nominal", "Agreeing pairs", "AC1", "Dialogues"),
        tuple((name, *_agreement_cells(m["agreement"])) for name, m in found),
        tuple(f"{name}: {note}" for name, m in found for note in m["agreement"]["notes"]),
    )


def _agreement_cells(a: Json) -> tuple[str, ...]:
    alpha = a["alpha_ordinal"]
    limits = f"{alpha['low']:.3f} to {alpha['high']:.3f}" if is_known(alpha) else EN_DASH
    return (
        _coefficient(alpha["estimate"]),
        limits,
        _coefficient(a["alpha_nominal"]["estimate"]),
        EN_DASH if a["percent"] is None else percent(a["percent"], 1),
        _coefficient(a["ac1"]),
        f"{a['n_items_multi']:,}",
    )


def _variance(found: Named) -> Table:
    rows = [(name, m["variance_shares"]) for name, m in found]
    keys = ("items", "annotators", "rest")
    return Table(
        "variance",
        "Where the variance of judgements is",
        ("Criterion", "Dialogues", "Annotators", "Rest"),
        tuple((name, *(percent(s[k]) if "reason" not in s else EN_DASH for k in keys)) for name, s in rows),
    )


def _others(found: Named) -> Table:
    return Table(
        "further-figures",
        "Further figures of the win score",
        (
            "Criterion",
            "Without ties",
            "These annotators",
            "Both bad",
            "Majorities won, tied, lost, none",
            "Sign test p",
        ),
        tuple((name, *_other_cells(m)) for name, m in found),
    )


def _other_cells(m: Json) -> tuple[str, ...]:
    of = m["majority"]
    majorities = ", ".join(f"{of[key]:,}" for key in ("b_wins", "ties", "a_wins", "no_majority"))
    without, these = m["win_rate_b_no_ties"], m["win_score_b_items"]
    return (_whole(without), _whole(these), f"{m['both_bad']:,}", majorities, p_value(m["sign_test"]["p"]))


def _biases(found: Named) -> Table:
    return Table(
        "biases",
        "Pull of the left side and of length",
        ("Criterion", "Left won", "Win score without the pull", "Win score at equal length"),
        tuple((name, *_bias_cells(m)) for name, m in found),
    )


def _bias_cells(m: Json) -> tuple[str, ...]:
    position, length = m["position"] or {}, m["length"] or {}
    return (
        _whole(position.get("left_share")),
        _whole(position.get("corrected_win_score_b")),
        _whole(length.get("at_equal_length")),
    )


def _strata(report: Json, pair: tuple[str, str], names: Mapping[str, str]) -> list[Table]:
    return [
        Table(
            f"by-{part['column'].replace('_', '-')}-{part['criterion']}",
            f"{names.get(part['criterion'], part['criterion'])} by {COLUMN_NAMES.get(part['column'], part['column'])}",
            ("Part", "Win score", "Interval", "p, Holm", "Dialogues"),
            tuple(_stratum(each) for each in part["strata"]),
            (part["note"],),
        )
        for part in report["strata"]
        if (part["system_a"], part["system_b"]) == pair and len(part["strata"]) > 1
    ]


def _stratum(each: Json) -> tuple[str, ...]:
    figure = each["win_score_b"]
    return (each["value"], _share(figure), _limits(figure), p_value(each["holm_p"]), f"{each['n_items']:,}")


def _rankings(report: Json, names: Mapping[str, str]) -> list[Table]:
    return [
        Table(
            f"ranking-{found['criterion']}",
            f"Ranking on {names.get(found['criterion'], found['criterion']).lower()}: shares of strength, together 1",
            ("Agent", "Bradley-Terry", "Interval"),
            tuple(_standing(each) for each in found["ranking"]["bradley_terry"]),
            tuple(found["ranking"]["notes"]),
        )
        for found in report["criteria"]
        if found["ranking"]
    ]


def _standing(each: Json) -> tuple[str, str, str]:
    if each["score"] is None or each["low"] is None:
        return (each["system"], "no finite estimate", EN_DASH)
    return (each["system"], f"{each['score']:.4f}", f"{each['low']:.4f} to {each['high']:.4f}")


def _method(report: Json) -> list[str]:
    settings, data = report["settings"], report["data"]
    left_out = {**data["excluded_reasons"], **data["excluded_annotators"]}
    lines = [f"{data['rows']:,} judgements read, {data['analysed']:,} analysed, {sum(left_out.values()):,} left out."]
    lines += [f"Filter: {words}." for words in settings["filters"]]
    return [
        *lines,
        f"Level {settings['level']:g}; two-way clustered intervals over dialogues and annotators; alpha with "
        f"{settings['resamples']:,} resamples of dialogues from seed {settings['seed']}; Holm's correction over "
        f"{report['family']['size']} tests.",
        "Computed with " + ", ".join(f"{name} {version}" for name, version in report["versions"].items()) + ".",
    ]


def _share(figure: Json) -> str:
    return percent(figure["estimate"], 1) if is_known(figure) else "not estimable"


def _limits(figure: Json) -> str:
    return f"{points(figure['low'], 1)} to {points(figure['high'], 1)}" if is_known(figure) else EN_DASH


def _whole(figure: Json | None) -> str:
    return f"{percent(figure['estimate'])} ({between(figure)})" if figure and is_known(figure) else EN_DASH


def _coefficient(value: float | None) -> str:
    return EN_DASH if value is None else f"{value:.3f}"
