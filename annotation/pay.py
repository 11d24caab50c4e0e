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


def cost_of(finished: int, expected: int, *, amount: Decimal, fee_percent: Decimal) -> Cost:
    """Return the cost of those who finished, and of `expected` more."""
    each = amount * (1 + Decimal(fee_percent) / 100)
    return Cost(*((each * n).quantize(CENT, ROUND_HALF_UP) for n in (finished, expected)))
