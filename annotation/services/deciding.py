"""Decisions about pay: proposed by the rules, made by a person, exported only where the platform's rule is met."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.db.models import Count, Q

from annotation.decisions import Crowd, Decision, Facts, grounds, propose, why_not
from annotation.errors import DuologueError
from annotation.models import Annotator, PayDecision, Study
from annotation.pay import missing
from annotation.services.actors import Actor
from annotation.services.exports.csv_files import csv_lines
from annotation.services.monitoring import working_seconds
from annotation.services.trail import record

LONGEST_MESSAGE = 2000
MOST_BONUS = Decimal(1000)


class RuleNotMet(DuologueError):
    """The platform's rules forbid this decision; the message quotes the one that does."""


@dataclass(frozen=True)
class Case:
    """One person with what is known, what the rules propose and why, and what was decided."""

    annotator: Annotator
    facts: Facts
    proposal: Decision | None
    reason: str
    grounds: tuple[str, ...]
    checks_asked: int
    decided: PayDecision | None

    @property
    def minutes(self) -> float:
        return self.facts.seconds / 60


def cases(study: Study) -> list[Case]:
    """Return everybody whose part has ended, in the order in which they came."""
    seconds = working_seconds(study)
    crowd = Crowd.of(list(seconds.values()))
    ended = study.annotators.exclude(exit="").select_related("pay_decision").order_by("consented_at", "pk")
    counted = ended.annotate(
        asked=Count("check_results"), failed=Count("check_results", filter=Q(check_results__is_passed=False))
    )
    return [_case(study, person, seconds.get(person.pk, 0.0), crowd) for person in counted]


def _case(study: Study, person: Annotator, seconds: float, crowd: Crowd) -> Case:
    lacks = Decimal(0)
    if study.payment_amount is not None:
        lacks = missing(Decimal(str(seconds)), amount=study.payment_amount, floor=study.hourly_floor)
    facts = Facts(
        exit=person.exit,
        seconds=seconds,
        checks_failed=getattr(person, "failed", 0),
        estimated_seconds=study.quota_per_annotator * study.seconds_per_comparison,
        missing=lacks,
    )
    proposal, reason = propose(facts, crowd)
    decided = getattr(person, "pay_decision", None)
    asked = getattr(person, "asked", 0)
    return Case(person, facts, proposal, reason, tuple(grounds(facts, crowd)), asked, decided)


@transaction.atomic
def decide(
    study: Study,
    pseudonym: str,
    decision: Decision,
    *,
    message: str = "",
    bonus: Decimal = Decimal(0),
    actor: Actor,
    now: datetime,
) -> PayDecision:
    """Make a decision about a person of the study. Raises: RuleNotMet with the rule."""
    case = next((each for each in cases(study) if each.annotator.pseudonym == pseudonym), None)
    if case is None:
        raise RuleNotMet("This person is still in the study, or never was.")
    message = message.replace("\x00", "").strip()[:LONGEST_MESSAGE]
    if bonus > MOST_BONUS:
        raise RuleNotMet(f"A bonus of more than {MOST_BONUS} looks like a slip: give a smaller one.")
    if rule := _rule(study, case, decision, message, bonus):
        raise RuleNotMet(rule)
    decided, _ = PayDecision.objects.update_or_create(
        annotator=case.annotator,
        defaults={
            "decision": decision,
            "message": message,
            "bonus": bonus if decision == Decision.BONUS else Decimal(0),
            "decided_by": actor,
            "decided_at": now,
        },
    )
    record(study, "decide", actor=actor, annotator=pseudonym, decision=decision, grounds=list(case.grounds))
    return decided


def _rule(study: Study, case: Case, decision: Decision, message: str, bonus: Decimal) -> str:
    crowd = Crowd.of(list(working_seconds(study).values()))
    return why_not(decision, case.facts, crowd, message=message, bonus=bonus)


def keeping_the_rule(study: Study) -> list[tuple[Case, PayDecision]]:
    """Return everybody about whom was decided. Raises: RuleNotMet where a rule is not met any more."""
    kept = []
    for case in cases(study):
        if (made := case.decided) is None:
            continue
        if rule := _rule(study, case, Decision(made.decision), made.message, made.bonus):
            raise RuleNotMet(f"{case.annotator} cannot be exported as “{made.decision}”: {rule} Decide anew.")
        kept.append((case, made))
    return kept


def category_of(case: Case, made: PayDecision) -> str:
    """Return the ground of a rejection in the platform's words; "" for every other decision."""
    return case.grounds[0] if made.decision == Decision.REJECT else ""


HEADER = ("annotator", "decision", "category", "message", "bonus", "currency", "decided_by", "decided_at")


def decisions_csv(study: Study) -> Iterator[str]:
    """Yield the decisions made. Raises RuleNotMet, before the first line, where a rule is not met any more."""
    rows = []
    for case, made in keeping_the_rule(study):
        by = made.decided_by.get_username() if made.decided_by else ""
        bonus = made.bonus if made.bonus else ""
        rows.append(
            (
                case.annotator.pseudonym,
                made.decision,
                category_of(case, made),
                made.message,
                bonus,
                study.payment_currency,
                by,
                made.decided_at.isoformat(timespec="seconds"),
            )
        )
    return csv_lines(HEADER, rows)
