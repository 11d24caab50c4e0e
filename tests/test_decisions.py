"""What may be decided about pay: the platform's rules, worked by hand."""

from dataclasses import replace
from decimal import Decimal

import pytest

from annotation.decisions import (
    RULE_COMPLETED,
    RULE_MESSAGE,
    RULE_RETURN,
    Crowd,
    Decision,
    Facts,
    Ground,
    grounds,
    propose,
    why_not,
)
from annotation.pay import Work, cost_of, missing, pay_of, people_to_come

CROWD = Crowd(mean=1000, sd=100, n=40)
DONE = Facts(exit="completed", seconds=900, passed=900, checks_failed=0, study_seconds=900)
LONG = "The two sentences that said which side to choose were answered with the other side. We are sorry to say so."


@pytest.mark.parametrize(
    ("estimated", "failed", "is_ground"), [(299, 1, True), (299, 0, False), (300, 1, False), (300, 2, True)]
)
def test_failed_checks_are_a_ground_as_the_platform_counts_them(estimated, failed, is_ground):
    facts = replace(DONE, study_seconds=estimated, checks_failed=failed)
    assert (grounds(facts, CROWD) == [Ground.FAILED_CHECK]) == is_ground


@pytest.mark.parametrize(("seconds", "is_ground"), [(699.9, True), (700, False), (1500, False)])
def test_speed_is_a_ground_beyond_three_standard_deviations_by_the_servers_clock(seconds, is_ground):
    assert (grounds(replace(DONE, seconds=0, passed=seconds), CROWD) == [Ground.TOO_QUICKLY]) == is_ground


def test_few_people_say_nothing_about_who_is_too_fast():
    assert grounds(replace(DONE, seconds=1, passed=1), replace(CROWD, n=9)) == []
    assert grounds(replace(DONE, seconds=1, passed=1), Crowd.of([])) == []


def test_nobody_is_rejected_without_a_ground_whatever_is_written():
    refused = why_not(Decision.REJECT, DONE, CROWD, message=LONG)
    assert "attention checks" in refused
    assert "3 standard deviations" in refused


def test_a_rejection_needs_its_ground_and_a_message():
    failed = replace(DONE, checks_failed=2)
    assert why_not(Decision.REJECT, failed, CROWD, message="No.") == RULE_MESSAGE
    assert why_not(Decision.REJECT, failed, CROWD, message=LONG) == ""


@pytest.mark.parametrize("how", ["failed_comprehension", "failed_training", "not_eligible"])
def test_who_did_not_get_in_is_asked_to_return_and_never_rejected(how):
    facts = replace(DONE, exit=how, checks_failed=5)
    assert propose(facts, CROWD)[0] == Decision.RETURN
    assert why_not(Decision.REJECT, facts, CROWD, message=LONG) == RULE_RETURN
    assert why_not(Decision.APPROVE, facts, CROWD) == RULE_COMPLETED
    assert why_not(Decision.RETURN, facts, CROWD) == ""


def test_what_is_proposed():
    assert propose(DONE, CROWD)[0] == Decision.APPROVE
    assert propose(replace(DONE, missing=Decimal("0.40")), CROWD)[0] == Decision.BONUS
    assert propose(replace(DONE, checks_failed=2), CROWD)[0] == Decision.REJECT
    assert propose(replace(DONE, exit="timed_out"), CROWD)[0] is None


def test_pay_by_hand():
    """£2 for 6, 10 and 12 minutes: £20, £12 and £10 an hour; the third lacks 40p to £12."""
    pay = pay_of([360, 600, 720], amount=Decimal(2), floor=Decimal(12))
    assert (pay.median_hourly, pay.below_floor, pay.shortfall) == (Decimal("12.00"), 1, Decimal("0.40"))
    assert missing(Decimal(3600), amount=Decimal(2), floor=None) == 0
    assert pay_of([], amount=Decimal(2), floor=None).median_hourly is None


def test_cost_by_hand():
    cost = cost_of(31, 14, amount=Decimal("2.40"), fee_percent=Decimal("33.3"))
    assert (cost.so_far, cost.to_come) == (Decimal("99.18"), Decimal("44.79"))


def test_bonuses_cost_their_fee_too():
    cost = cost_of(3, 0, amount=Decimal(2), fee_percent=Decimal(25), bonuses=Decimal("0.40"))
    assert (cost.so_far, cost.to_come) == (Decimal("8.00"), Decimal("0.00"))


@pytest.mark.parametrize(
    ("work", "places", "people"),
    [
        ({}, None, 0),
        ({"open": 45}, None, 3),
        ({"open": 45, "main_share": 12}, None, 4),
        ({"open": 0, "people": 3}, None, 3),
        ({"open": 45, "people": 2, "theirs": 30}, None, 3),
        ({"open": 45}, 2, 2),
        ({"open": 0, "people": 3}, 20, 3),
        ({"open": 0}, 20, 0),
        ({"open": 5, "main_share": 0}, None, 5),
    ],
)
def test_who_is_still_to_be_paid(work, places, people):
    """Full parts of 15 comparisons unless said otherwise. People at it now do their own rest first."""
    nothing = {"open": 0, "quota": 15, "main_share": 15, "people": 0, "theirs": 0}
    assert people_to_come(Work(**nothing | work), places=places) == people
