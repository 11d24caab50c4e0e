"""What people earn by the hour and what a study costs. Pure: no Django. Amounts are in the study's currency."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, ROUND_UP, Decimal

CENT = Decimal("0.01")
HOUR = Decimal(3600)


@dataclass(frozen=True)
class Pay:
    """Pay by the hour of those who finished, against the floor. None where nobody has finished or nothing is paid.

    shortfall: what a bonus for everybody below the floor would come to. hourly: what each person earned by the hour.
    """

    finished: int
    median_hourly: Decimal | None
    below_floor: int
    shortfall: Decimal
    hourly: tuple[Decimal, ...] = ()


@dataclass(frozen=True)
class Cost:
    """Payments with the platform's fee: for those who finished, and for those who may still."""

    so_far: Decimal
    to_come: Decimal


def pay_of(seconds: Sequence[float], *, amount: Decimal, floor: Decimal | None) -> Pay:
    """Compute pay from the working time of each person who finished, in seconds."""
    worked = [Decimal(str(each)) for each in seconds if each > 0]
    hourly = [amount * HOUR / each for each in worked]
    gaps = [missing(each, amount=amount, floor=floor) for each in worked]
    median = statistics.median(hourly).quantize(CENT, ROUND_HALF_UP) if hourly else None
    return Pay(len(worked), median, sum(gap > 0 for gap in gaps), sum(gaps, Decimal(0)), tuple(hourly))


def missing(seconds: Decimal, *, amount: Decimal, floor: Decimal | None) -> Decimal:
    """Return what a person lacks to the floor for the time they worked, rounded up to a cent; 0 for enough."""
    if floor is None:
        return Decimal(0)
    return max((floor * seconds / HOUR - amount).quantize(CENT, ROUND_UP), Decimal(0))


@dataclass(frozen=True)
class Work:
    """What is left to judge: `open` places of comparisons, of which the `people` at it now can do `theirs`.

    main_share: how many comparisons of a full part, of `quota`, fill such a place.
    """

    open: int
    quota: int
    main_share: int
    people: int
    theirs: int


def people_to_come(work: Work, *, places: int | None) -> int:
    """Return how many people will be paid besides those who finished.

    With limited places all that are left, but no more people than comparisons are left for. Without, those who are at
    it now and as many full parts as the rest of the work makes.
    """
    if places is not None:
        return min(places, work.open + work.people)
    share = max(work.main_share, 1)
    rest = max(work.open - work.theirs * share // max(work.quota, 1), 0)
    return work.people + -(-rest // share)


def cost_of(
    finished: int, expected: int, *, amount: Decimal, fee_percent: Decimal, bonuses: Decimal = Decimal(0)
) -> Cost:
    """Return the cost of those who finished, with their bonuses, and of `expected` more."""
    fee = 1 + Decimal(fee_percent) / 100
    sums = amount * finished + bonuses, amount * expected
    return Cost(*((each * fee).quantize(CENT, ROUND_HALF_UP) for each in sums))
