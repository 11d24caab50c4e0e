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


def between(figure: dict[str, Any]) -> str:
    """The limits of a share in words: "54 to 68"."""
    return f"{points(figure['low'])} to {points(figure['high'])}"


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
