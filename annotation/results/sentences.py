"""The answer of a report in words, for pages, terminals and papers.

Whether an interval clears 1/2 is decided before rounding; figures get another digit where rounding would hide it.
"""

from annotation.results.data import Estimate, Figure, NotEstimable
from annotation.results.summary import Matchup, Report

NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")


def answer(report: Report) -> str:
    """What the report says of every criterion and pair, and what holds after correction for all of them."""
    return " ".join(answers(report))


def answers(report: Report) -> list[str]:
    """The same, a sentence each."""
    several_pairs = len({(matchup.system_a, matchup.system_b) for _, matchup in report.matchups()}) > 1
    told = [tell(criterion, matchup, name_both=several_pairs) for criterion, matchup in report.matchups()]
    return [*told, *correction(report)]


def tell(criterion: str, matchup: Matchup, *, name_both: bool = False) -> str:
    """One sentence about one criterion and pair: from the band while a study runs, else from the two-way interval."""
    figure = shown_figure(matchup)
    pair = f"{matchup.system_b} over {matchup.system_a}"
    if isinstance(figure, NotEstimable):
        return f"On {criterion} no interval for {pair} can be given: {figure.reason}."
    preferred = preferred_system(matchup)
    extent = f"{count(figure.n_items or 0, 'comparison')}, {count(figure.n_annotators or 0, 'annotator')}"
    if preferred is None:
        head = f"On {criterion} the study cannot tell {matchup.system_b} from {matchup.system_a}"
        if (
            matchup.equivalence
            and not isinstance(matchup.equivalence, NotEstimable)
            and matchup.equivalence.is_equivalent
        ):
            points = f"{100 * matchup.equivalence.margin:.3g}"
            head = (
                f"On {criterion} {matchup.system_b} and {matchup.system_a} do not differ by more than {points} points"
            )
        return f"{head}: {_score(figure, matchup.system_b)}, {extent}."
    other = matchup.system_a if preferred == matchup.system_b else matchup.system_b
    over = f"{preferred} over {other}" if name_both else preferred
    turned = figure if preferred == matchup.system_b else complement(figure)
    return f"On {criterion} people prefer {over}: {_score(turned)}, {extent}."


def shown_figure(matchup: Matchup) -> Figure:
    """The win score of B that is fit to be shown: the band while the study runs, the two-way interval else.

    One annotator has no two-way interval; then it is the one for this annotator.
    """
    if matchup.band is not None:
        return matchup.band
    return matchup.win_score_b if isinstance(matchup.win_score_b, Estimate) else matchup.win_score_b_items


def preferred_system(matchup: Matchup) -> str | None:
    """The system whose interval (or band) clears 1/2; None where neither does."""
    figure = shown_figure(matchup)
    if isinstance(figure, NotEstimable) or not _clears_half(figure):
        return None
    return matchup.system_b if figure.low > 0.5 else matchup.system_a


def complement(figure: Estimate) -> Estimate:
    """The same win score from the other system's side."""
    return Estimate(**{**vars(figure), "estimate": 1 - figure.estimate, "low": 1 - figure.high, "high": 1 - figure.low})


def correction(report: Report) -> list[str]:
    """Which of the differences hold when all criteria and pairs are tested together, or banded together."""
    if any(matchup.band is not None for _, matchup in report.matchups()):
        return _bands_together(report)
    tested = [(name, matchup) for name, matchup in _named(report) if matchup.holm_p is not None]
    if len(tested) < 2:
        return []
    level = 1 - report.settings.level
    claims = [(name, matchup) for name, matchup in tested if matchup.p is not None and matchup.p < level]
    held = [name for name, matchup in claims if matchup.holm_p is not None and matchup.holm_p < level]
    return [_what_holds(len(claims), held, f"the {number(len(tested))} tests (Holm)")]


def _bands_together(report: Report) -> list[str]:
    shown = [(name, matchup) for name, matchup in _named(report) if isinstance(matchup.band, Estimate)]
    if len(report.matchups()) < 2 or not shown:
        return []
    claims = [(name, matchup) for name, matchup in shown if _clears_half(matchup.band)]
    held = [name for name, matchup in claims if _clears_half(matchup.band_together)]
    return [_what_holds(len(claims), held, f"the {number(len(report.matchups()))} bands (Bonferroni)")]


def _what_holds(claims: int, held: list[str], family: str) -> str:
    if not claims:
        return f"None of {family} finds a difference, with or without correction."
    if len(held) == claims:
        subject = (
            f"The difference on {held[0]} holds" if claims == 1 else f"The {number(claims)} differences together hold"
        )
        return f"{subject} after correction for {family}."
    if not held:
        return f"After correction for {family} no difference remains."
    some = f"{number(len(held))} of the {number(claims)} differences hold"
    return f"After correction for {family} {some}: {', '.join(held)}."


def _clears_half(figure: Figure | None) -> bool:
    return isinstance(figure, Estimate) and not figure.low <= 0.5 <= figure.high


def _named(report: Report) -> list[tuple[str, Matchup]]:
    """Every pair under a name that tells it from the others: the criterion, with the systems where there are more."""
    several = any(len(criterion.matchups) > 1 for criterion in report.criteria)
    return [
        (f"{name} ({matchup.system_b} against {matchup.system_a})" if several else name, matchup)
        for name, matchup in report.matchups()
    ]


def _score(figure: Estimate, system: str | None = None) -> str:
    """61 % win score, 95 % between 54 and 68."""
    value, low, high = percentages(figure)
    of = f" for {system}" if system else ""
    kind = "band" if figure.method.startswith("confidence band") else "interval"
    one = " (this annotator)" if figure.n_annotators == 1 else ""
    return f"{value} % win score{of}, {100 * figure.level:.4g} % {kind}{one} between {low} and {high}"


def percentages(figure: Estimate, *, null: float = 0.5) -> tuple[str, str, str]:
    """Estimate and limits in percent, with as many digits as keep every figure on its side of the null value."""
    values = (figure.estimate, figure.low, figure.high)
    for digits in range(4):
        if all(_same_side(value, round(100 * value, digits) / 100, null) for value in values):
            break
    estimate, low, high = (f"{100 * value:.{digits}f}" for value in values)
    return estimate, low, high


def _same_side(value: float, rounded: float, null: float) -> bool:
    if abs(value - null) < 1e-9:
        return True
    return rounded < null if value < null else rounded > null


def number(n: int) -> str:
    return NUMBERS[n] if n < len(NUMBERS) else str(n)


def count(n: int, noun: str) -> str:
    return f"{n:,} {noun}{'' if n == 1 else 's'}"
