"""The table of annotators: what is known of each one's work, sortable, with nothing decided by it. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from annotation.reporting.words import EN_DASH, percent

type Json = Mapping[str, Any]

READING = "ten words a second, about twice the fastest reading with understanding"


@dataclass(frozen=True)
class Column:
    """One figure of an annotator. `value` sorts (None last), `text` is shown."""

    key: str
    title: str
    help: str
    value: Callable[[Json], float | None]
    text: Callable[[Json], str]


@dataclass(frozen=True)
class Heading:
    """The head of a column with the order that a press on it asks for; `sorted` is the value of aria-sort."""

    column: Column
    sorted: str
    order: str


@dataclass(frozen=True)
class PersonRow:
    """One annotator: name, cells in the order of the columns, and the numbers behind them."""

    annotator: str
    cells: tuple[str, ...]
    numbers: Mapping[str, float | None]


@dataclass(frozen=True)
class PeopleTable:
    """Everybody who judged, in the order that was asked for."""

    headings: tuple[Heading, ...]
    rows: tuple[PersonRow, ...]


def _share(key: str) -> Callable[[Json], str]:
    return lambda person: EN_DASH if person[key] is None else percent(person[key])


def _number(key: str) -> Callable[[Json], float | None]:
    return lambda person: person[key]


def _inside(key: str, inner: str) -> Callable[[Json], float | None]:
    return lambda person: person[key][inner] if person[key] else None


def _agreement(person: Json) -> str:
    own = person["agreement"]
    if not own:
        return EN_DASH
    return percent(own["estimate"]) + ("" if own["se"] is None else f" ±{100 * own['se']:.0f}")


def _gold(person: Json) -> str:
    gold = person["gold"]
    return f"{gold['correct']} of {gold['asked']}, ≥ {percent(gold['low'])}" if gold else EN_DASH


def _seconds(person: Json) -> str:
    return EN_DASH if person["median_seconds"] is None else f"{person['median_seconds']:.0f} s"


def _repeats(person: Json) -> str:
    repeats = person["repeats"]
    return f"{repeats['same']} of {repeats['asked']}" if repeats else EN_DASH


def _repeated_share(person: Json) -> float | None:
    repeats = person["repeats"]
    return repeats["same"] / repeats["asked"] if repeats else None


COLUMNS = (
    Column(
        "comparisons",
        "Comparisons",
        "comparisons judged that enter the results",
        _number("n_comparisons"),
        lambda person: f"{person['n_comparisons']:,}",
    ),
    Column(
        "agreement",
        "Agreement",
        "share of the others’ answers to the same question that say the same, ± its standard error",
        _inside("agreement", "estimate"),
        _agreement,
    ),
    Column(
        "gold",
        "Known answers",
        "right answers to comparisons whose answer is known, with the lower 95 % limit (Wilson)",
        _inside("gold", "low"),
        _gold,
    ),
    Column(
        "modal",
        "Same answer",
        "share of the most frequent answer, as it was shown (left, the same, right)",
        _number("modal_share"),
        _share("modal_share"),
    ),
    Column(
        "run",
        "Longest run",
        "most equal answers in a row to one question",
        _number("longest_run"),
        lambda person: str(person["longest_run"]),
    ),
    Column("left", "Left", "share of Left among decided answers", _number("left_share"), _share("left_share")),
    Column("seconds", "Time", "median time for a comparison", _number("median_seconds"), _seconds),
    Column(
        "fast",
        "Fast",
        "share of comparisons below the study’s own 5 % quantile of times",
        _number("fast_share"),
        _share("fast_share"),
    ),
    Column(
        "hurried",
        "Unread",
        f"share of comparisons faster than {READING}",
        _number("below_reading_share"),
        _share("below_reading_share"),
    ),
    Column(
        "repeats",
        "Repeats",
        "answers that were the same when a comparison came again",
        _repeated_share,
        _repeats,
    ),
)
BY_KEY = {column.key: column for column in COLUMNS}
NAME = "annotator"


def people_table(people: Sequence[Json], order: str) -> PeopleTable:
    """Sort by a column’s key, downwards with a "-" in front, or by name. Whoever lacks the figure comes last."""
    key, is_down = order.removeprefix("-"), order.startswith("-")
    by_name = sorted(people, key=lambda person: str(person["annotator"]))
    if key in BY_KEY:
        value = BY_KEY[key].value
        known = [person for person in by_name if value(person) is not None]
        known.sort(key=lambda person: value(person) or 0.0, reverse=is_down)
        rows = [*known, *(person for person in by_name if value(person) is None)]
    else:
        key, rows = NAME, by_name[::-1] if is_down else by_name
    name = Column(NAME, "Annotator", "a name made up for this study", lambda person: None, lambda person: "")
    headings = tuple(_heading(column, key, is_down) for column in (name, *COLUMNS))
    return PeopleTable(headings, tuple(_row(person) for person in rows))


def _heading(column: Column, key: str, is_down: bool) -> Heading:
    if column.key != key:
        return Heading(column, "none", column.key)
    return Heading(column, "descending" if is_down else "ascending", column.key if is_down else f"-{column.key}")


def _row(person: Json) -> PersonRow:
    cells = tuple(column.text(person) for column in COLUMNS)
    return PersonRow(str(person["annotator"]), cells, {column.key: column.value(person) for column in COLUMNS})


def cells_of(person: Json) -> list[tuple[Column, str]]:
    """Every figure of one annotator with what it means."""
    return [(column, column.text(person)) for column in COLUMNS]
