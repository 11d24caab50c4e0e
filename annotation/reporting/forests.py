"""Win scores within parts of the data, against the win score of all. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from annotation.reporting.answers import headline, is_running
from annotation.reporting.figures import Figure, Json, TableRow, limits, spread
from annotation.reporting.forest_plot import Stratum, forest
from annotation.reporting.words import between, bracketed, count, is_known, listed, p_value, percent
from annotation.results.sequential import MIN_ANNOTATORS, MIN_ITEMS

# How people call the columns by which win scores are split.
COLUMN_NAMES = {"dialogue_kind": "kind of dialogue", "skill_category": "skill category"}
# More rows than this are not read but scrolled: the picture shows the largest parts, the table all.
ROWS_DRAWN = 24
BEGINS = f"{MIN_ITEMS} finished comparisons by {MIN_ANNOTATORS} annotators"


@dataclass(frozen=True)
class ForestCard:
    """Win scores by one column: a figure for each criterion."""

    column: str
    figures: tuple[tuple[str, Figure], ...]


def forest_cards(
    report: Json, pair: tuple[str, str], found: Mapping[str, Json], names: Mapping[str, str], suffix: str
) -> tuple[ForestCard, ...]:
    """One card for each column with two values or more. `found`: figures of the pair by the name of the criterion."""
    by_column: dict[str, list[tuple[str, Figure]]] = {}
    for part in report["strata"]:
        name = names.get(part["criterion"], part["criterion"])
        if (part["system_a"], part["system_b"]) == pair and len(part["strata"]) > 1:
            key = f"{part['column']}-{part['criterion']}{suffix}".replace("_", "-")
            figure = forest_figure(part, found[name], name=name, key=key, level=report["settings"]["level"])
            by_column.setdefault(part["column"], []).append((name, figure))
    return tuple(ForestCard(column_name(column), tuple(figures)) for column, figures in by_column.items())


def column_name(column: str) -> str:
    return COLUMN_NAMES.get(column, column)


def forest_figure(part: Json, matchup: Json, *, name: str, key: str, level: float) -> Figure:
    """Win scores within the values of one column, against that of all: bands while the study runs."""
    whole, strata, running = headline(matchup), part["strata"], is_running(matchup)
    drawn = sorted(sorted(strata, key=_size)[:ROWS_DRAWN], key=lambda each: str(each["value"]))
    rows = [Stratum(s["value"], s["n_items"], _range(s), limits(_shown(s))) for s in drawn]
    everything = Stratum("All", matchup["n_items"], _limits_text(whole), limits(whole))
    kind = "band" if running else percent(level)
    head = ("Part", "Win score", *([f"{percent(level)} band"] if running else [percent(level), "p, corrected"]))
    return Figure(
        key=key,
        title=f"{name} by {column_name(part['column'])}: win score of {matchup['system_b']}",
        kind="forest",
        plot=forest(rows, everything, kind=kind) if any(row.values for row in rows) else None,
        drawing=forest(rows, everything, kind=kind, width=680, label=270),
        head=(*head, "Comparisons"),
        rows=tuple(TableRow(s["value"], _cells(s, running)) for s in strata),
        numbers=tuple(_numbers(s, part, name, running) for s in strata),
        notes=tuple(_notes(strata, len(drawn), level=level, running=running)),
    )


def _size(stratum: Json) -> int:
    return -int(stratum["n_items"])


def _shown(stratum: Json) -> Json:
    """The band of a running study, the interval of a closed one."""
    return dict(stratum["band"] if stratum["band"] is not None else stratum["win_score_b"])


def _range(stratum: Json) -> str:
    return _limits_text(_shown(stratum))


def _limits_text(figure: Json) -> str:
    return bracketed(figure).split("(")[-1].rstrip(")")


def _cells(stratum: Json, running: bool) -> tuple[str, ...]:
    figure = _shown(stratum)
    known = is_known(figure)
    score = percent(figure["estimate"]) if known else "too early" if running else "not estimable"
    tested = () if running else (p_value(stratum["holm_p"]),)
    return (score, between(figure) if known else "–", *tested, f"{stratum['n_items']:,}")


def _numbers(stratum: Json, part: Json, name: str, running: bool) -> Json:
    tested = {} if running else {"holm_p": stratum["holm_p"]}
    return {
        "criterion": name,
        "system_a": part["system_a"],
        "system_b": part["system_b"],
        "column": part["column"],
        "part": stratum["value"],
        "n_items": stratum["n_items"],
        "n_judgements": stratum["n_judgements"],
        "range": "band" if running else "interval",
        **spread("win_score_b", _shown(stratum)),
        **tested,
    }


def _notes(strata: Sequence[Json], drawn: int, *, level: float, running: bool) -> list[str]:
    notes = []
    if drawn < len(strata):
        notes.append(f"The picture shows the {drawn} largest of {count(len(strata), 'part')}; the table has all.")
    word, misses = ("bands" if running else "intervals"), f"one in {round(1 / (1 - level))}"
    many = f"{len(strata)} {word}, each on its own: about {misses} misses by chance."
    if running:
        begun = any(is_known(_shown(stratum)) for stratum in strata)
        return [*notes, f"{many if begun else ''} A part gets its band at {BEGINS}.".strip()]
    held = [s["value"] for s in strata if s["holm_p"] is not None and s["holm_p"] < 1 - level]
    clear = "clears" if len(held) == 1 else "clear"
    holds = f"only {listed(held)} {clear} 50 %" if held else "none clears 50 %"
    return [*notes, f"{many} After correction {holds}."]
