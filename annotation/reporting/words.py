"""Numbers and names as people read them."""

from collections.abc import Sequence
from typing import Any

NBSP = "\N{NO-BREAK SPACE}"
EN_DASH = "\N{EN DASH}"


def percent(share: float, digits: int = 0) -> str:
    """A share as a percentage: 0.614 is "61 %"."""
    return f"{100 * share:.{digits}f}{NBSP}%"


def points(share: float, digits: int = 0) -> str:
    """A share as the bare number of percentage points."""
    return f"{100 * share:.{digits}f}"


def score_texts(figure: dict[str, Any], *, null: float = 0.5) -> tuple[str, str, str]:
    """Estimate and limits in percentage points, with as many digits as keep each on its own side of the null value.

    An interval from 50.3 to 68 is not printed as "50 to 68": it would read as one that holds 50.
    """
    values = (figure["estimate"], figure["low"], figure["high"])
    digits = next((d for d in range(4) if all(_keeps_side(v, d, null) for v in values)), 3)
    estimate, low, high = (points(value, digits) for value in values)
    return estimate, low, high


def _keeps_side(value: float, digits: int, null: float) -> bool:
    rounded = round(100 * value, digits) / 100
    return abs(value - null) < 1e-9 or (rounded < null if value < null else rounded > null)


def between(figure: dict[str, Any]) -> str:
    """The limits of a share in words: "54 to 68"."""
    _, low, high = score_texts(figure)
    return f"{low} to {high}"


def bracketed(figure: dict[str, Any] | None) -> str:
    """A share with its limits: "61 (54–68)", a dash where there is none."""
    if figure is None or not is_known(figure):
        return EN_DASH
    estimate, low, high = score_texts(figure)
    return f"{estimate} ({low}{EN_DASH}{high})"


def coefficient(value: float) -> str:
    """A coefficient as it is printed: .34, −.05, 1.00."""
    text = f"{abs(value):.2f}"
    return ("−" if round(value, 2) < 0 else "") + (text[1:] if text.startswith("0") else text)


def p_value(p: float | None) -> str:
    """A p value without false precision."""
    if p is None:
        return EN_DASH
    return "< .001" if p < 0.001 else f"{p:.3f}"[1:] if p < 1 else "1"


def is_known(figure: dict[str, Any] | None) -> bool:
    """Whether a figure has an estimate; what has none carries its reason."""
    return bool(figure) and figure is not None and figure.get("estimate") is not None


def listed(words: Sequence[str], last: str = "and") -> str:
    """Names in a row as a sentence has them: "a, b and c"."""
    return f" {last} ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)


def count(number: int, one: str, many: str = "") -> str:
    """A number with its noun: "1 comparison", "214 comparisons", thousands set apart."""
    return f"{number:,}{NBSP}{one if number == 1 else many or one + 's'}"


NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def in_words(number: int) -> str:
    """A small number as a word."""
    return NUMBERS[number] if number < len(NUMBERS) else f"{number:,}"
