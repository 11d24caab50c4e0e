"""Decisions about pay: proposed by the rules, made by a person, exported only where the platform's rule is met."""

import statistics
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
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
from annotation.services.times import Worked, working_times
from annotation.services.trail import record

LONGEST_MESSAGE = 2000
MOST_BONUS = Decimal(1000)


class RuleNotMet(DuologueError):
    """The platform's rules forbid this decision; the message quotes the one that does."""


class DecidedMeanwhile(DuologueError):
    user_message = (
        "Somebody else has decided about this person since you opened the page, so nothing has changed. Look at that "
        "decision first."
    )


class OthersToApprove(DuologueError):
    """Not those are left to approve whom the page counted."""

    def __init__(self, now: int) -> None:
        super().__init__(
            f"Meanwhile there are {now} people for whom nothing but an approval is proposed, so nothing has changed. "
            "Look at the page again."
        )


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
    crowd: Crowd

    @property
    def seen(self) -> str:
        """What a form says of the decision that its reader saw; empty for none."""
        return self.decided.decided_at.isoformat() if self.decided else ""

    @property
    def ended(self) -> str:
        """How their part ended, in words."""
        return self.annotator.exit.replace("_", " ")

    @property
    def minutes(self) -> float:
        return self.facts.seconds / 60


def cases(study: Study) -> list[Case]:
    """Return everybody whose part has ended, in the order in which they came."""
    times = working_times(study)
    crowds = _crowds(times)
    takes = max(
        study.quota_per_annotator * study.seconds_per_comparison,
        statistics.median(each.active for each in times.values()) if times else 0.0,
    )
    ended = study.annotators.exclude(exit="").select_related("pay_decision__decided_by").order_by("consented_at", "pk")
    counted = ended.annotate(
        asked=Count("check_results"), failed=Count("check_results", filter=Q(check_results__is_passed=False))
    )
    nothing, nobody = Worked(0.0, 0.0, 0), Crowd.of([])
    return [
        _case(study, person, times.get(person.pk, nothing), crowds.get(person.submitted_count, nobody), takes)
        for person in counted
    ]


_LOOK_FIRST = (Decision.REJECT, Decision.BONUS, Decision.RETURN, Decision.APPROVE, None)


def to_look_at_first(found: Sequence[Case]) -> list[Case]:
    """Return the cases with those first that are not decided, and of them what is no plain approval."""
    return sorted(found, key=lambda case: (case.decided is not None, _LOOK_FIRST.index(case.proposal)))


def open_proposals(found: Sequence[Case]) -> list[tuple[Decision, int]]:
    """Return how many people are not decided about, by what is proposed for them."""
    proposed = Counter(case.proposal for case in found if case.decided is None)
    return [(decision, proposed[decision]) for decision in _LOOK_FIRST if decision and proposed[decision]]


def _crowds(times: Mapping[int, Worked]) -> dict[int, Crowd]:
    """Return the active seconds of everybody who judged the same number of comparisons, by that number.

    Whoever comes when little is left judges less in less time, and is not too fast for that.
    """
    seconds: dict[int, list[float]] = {}
    for each in times.values():
        seconds.setdefault(each.comparisons, []).append(each.active)
    return {judged: Crowd.of(those) for judged, those in seconds.items()}


def _case(study: Study, person: Annotator, worked: Worked, crowd: Crowd, takes: float) -> Case:
    lacks = Decimal(0)
    if study.payment_amount is not None:
        lacks = missing(Decimal(str(worked.active)), amount=study.payment_amount, floor=study.hourly_floor)
    facts = Facts(
        exit=person.exit,
        seconds=worked.active,
        passed=worked.passed,
        checks_failed=getattr(person, "failed", 0),
        study_seconds=takes,
        missing=lacks,
    )
    proposal, reason = propose(facts, crowd)
    decided = getattr(person, "pay_decision", None)
    asked = getattr(person, "asked", 0)
    return Case(person, facts, proposal, reason, tuple(grounds(facts, crowd)), asked, decided, crowd)


@transaction.atomic
def decide(
    study: Study,
    pseudonym: str,
    decision: Decision,
    *,
    message: str = "",
    bonus: Decimal = Decimal(0),
    seen: str | None = None,
    actor: Actor,
    now: datetime,
) -> PayDecision:
    """Make a decision about a person of the study. `seen`: Case.seen as the decider saw it, where that is known.

    Raises: RuleNotMet with the rule; DecidedMeanwhile.
    """
    case = _open_case(study, pseudonym, seen)
    message = message.replace("\x00", "").strip()[:LONGEST_MESSAGE]
    if bonus > MOST_BONUS:
        raise RuleNotMet(f"A bonus of more than {MOST_BONUS} looks like a slip: give a smaller one.")
    if rule := why_not(decision, case.facts, case.crowd, message=message, bonus=bonus):
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


@transaction.atomic
def approve_all(study: Study, *, seen: int, actor: Actor, now: datetime) -> int:
    """Approve everybody about whom nobody has decided and for whom the rules propose nothing but that.

    `seen`: how many they were on the page of whoever decides. Raises: OthersToApprove.
    """
    list(study.annotators.exclude(exit="").order_by("pk").select_for_update().values_list("pk"))
    found = [case for case in cases(study) if case.decided is None and case.proposal == Decision.APPROVE]
    if len(found) != seen:
        raise OthersToApprove(len(found))
    PayDecision.objects.bulk_create(
        PayDecision(annotator=case.annotator, decision=Decision.APPROVE, decided_by=actor, decided_at=now)
        for case in found
    )
    names = [case.annotator.pseudonym for case in found]
    record(study, "approve all", actor=actor, annotators=names)
    return len(found)


@transaction.atomic
def undo(study: Study, pseudonym: str, *, seen: str | None = None, actor: Actor) -> None:
    """Take a decision back, so that nothing is exported about this person. Raises: RuleNotMet, DecidedMeanwhile."""
    case = _open_case(study, pseudonym, seen)
    if case.decided is None:
        raise RuleNotMet("Nothing is decided about this person, so there is nothing to take back.")
    case.decided.delete()
    record(study, "undo decision", actor=actor, annotator=pseudonym, decision=case.decided.decision)


def _open_case(study: Study, pseudonym: str, seen: str | None) -> Case:
    """Return the case of a person about whom nobody else decides until the transaction ends."""
    person = study.annotators.select_for_update().filter(pseudonym=pseudonym).first()
    case = next((each for each in cases(study) if person and each.annotator.pk == person.pk), None)
    if case is None:
        raise RuleNotMet("This person is still in the study, or never was.")
    if seen is not None and seen != case.seen:
        raise DecidedMeanwhile()
    return case


def keeping_the_rule(study: Study) -> list[tuple[Case, PayDecision]]:
    """Return everybody about whom was decided. Raises: RuleNotMet where a rule is not met any more."""
    kept = []
    for case in cases(study):
        if (made := case.decided) is None:
            continue
        decision = Decision(made.decision)
        if rule := why_not(decision, case.facts, case.crowd, message=made.message, bonus=made.bonus):
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
