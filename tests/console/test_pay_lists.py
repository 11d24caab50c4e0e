"""Decisions with the platform's own ids: in the form it takes, for those who may, written down, never as formulas."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from annotation.decisions import Decision
from annotation.models import CheckResult, Event
from annotation.platforms import Visitor
from annotation.platforms.pay_layouts import BONUS_REASON, PayList, Told, lay_out
from annotation.roles import Role
from annotation.services import deciding, identities
from annotation.states import Exit, Outcome
from tests import build
from tests.console.test_steering import LONG, fail_checks
from tests.platforms.people import make_recruiting_study

pytestmark = pytest.mark.django_db


@pytest.fixture
def study():
    return make_recruiting_study("prolific", payment_currency="GBP")


def finished(study, person, *, submission="sub-1"):
    """Somebody of the platform who has completed the study."""
    now = timezone.now()
    annotator = build.make_annotator(study, exit=Exit.COMPLETED, consented_at=now - timedelta(hours=1))
    visitor = Visitor(study.recruitment.platform, person, submission)
    identities.keep_identity(annotator, visitor, now=now)
    return annotator


def decided(study, person, decision=Decision.APPROVE, **over):
    annotator = finished(study, person)
    deciding.decide(study, annotator.pseudonym, decision, actor=None, now=timezone.now(), **over)
    return annotator


def rejected(study, person):
    """Somebody who failed a fair check in a study so short that one is a ground."""
    annotator = finished(study, person)
    build.judge(study.slots.filter(is_open=True).first(), annotator, [Outcome.TIE] * 3)
    fail_checks(annotator, 1)
    deciding.decide(study, annotator.pseudonym, Decision.REJECT, message=LONG, actor=None, now=timezone.now())


def member(study, role=Role.RESEARCHER) -> Client:
    client = Client()
    client.force_login(build.make_member(study, role))
    return client


def ask(client, study, kind):
    return client.post(reverse("pay_list", args=[study.code, kind]))


def test_ids_to_approve_are_a_line_each_and_bonuses_have_their_amount(study):
    decided(study, "5f0ca1a5")
    decided(study, "60b2c3d4", Decision.BONUS, bonus=Decimal("0.40"))
    client = member(study)
    assert ask(client, study, "approve").text.splitlines() == ["5f0ca1a5", "60b2c3d4"]
    assert ask(client, study, "bonus").text.splitlines() == ["60b2c3d4,0.40"]
    assert ask(client, study, "all").text.splitlines() == [
        "person,submission,decision,category,message,bonus,currency,batch",
        "5f0ca1a5,sub-1,approve,,,,GBP,",
        "60b2c3d4,sub-1,bonus,,,0.40,GBP,",
    ]


def test_the_table_names_the_platforms_study_of_each_person(study):
    annotator = decided(study, "5f0ca1a5")
    annotator.batch = study.recruitment.batches.create(name="Germany", key="st-1")
    annotator.save()
    assert ask(member(study), study, "all").text.splitlines()[1] == "5f0ca1a5,sub-1,approve,,,,GBP,st-1"


def test_mechanical_turk_pays_no_bonus_without_a_reason_and_reads_no_long_one(study):
    told = [
        Told("A1", "3A", Decision.BONUS, "", "", Decimal("0.40"), "USD"),
        Told("A2", "3B", Decision.BONUS, "", "Fast and careful.", Decimal("1.00"), "USD"),
        Told("A3", "3C", Decision.REJECT, "FAILED_CHECK", "x" * 2000, Decimal(0), "USD"),
        Told("A4", "3D", Decision.APPROVE, "", "Thanks", Decimal(0), "USD"),
    ]
    _, rows = lay_out(PayList.ALL, "mturk", told)
    assert rows == [
        ("3A", "A1", "X", "", Decimal("0.40"), BONUS_REASON),
        ("3B", "A2", "X", "", Decimal("1.00"), "Fast and careful."),
        ("3C", "A3", "", "x" * 1024, "", ""),
        ("3D", "A4", "X", "", "", ""),
    ]


def test_mechanical_turk_gets_its_two_columns():
    study = make_recruiting_study("mturk")
    decided(study, "A1")
    rejected(study, "A2")
    rows = ask(member(study), study, "all").text.splitlines()
    assert rows[0] == "AssignmentId,WorkerId,Approve,Reject,BonusAmount,Reason"
    assert rows[1] == "sub-1,A1,X,,,"
    assert rows[2].startswith("sub-1,A2,,")
    assert LONG in rows[2]


def test_a_list_leaves_an_event_without_ids(study):
    decided(study, "5f0ca1a5")
    ask(member(study), study, "approve")
    event = Event.objects.get(verb="export platform ids")
    assert event.detail == {"files": ["platform-approve.csv"], "people": 1}
    assert event.actor is not None


def test_who_may_not_change_the_study_gets_no_id(study):
    decided(study, "5f0ca1a5")
    other = make_recruiting_study("prolific")
    for client in (member(study, Role.VIEWER), member(other, Role.OWNER), member(None)):
        answer = ask(client, study, "approve")
        assert (answer.status_code, "5f0ca1a5" in answer.text) == (403, False)
    assert ask(Client(), study, "approve").status_code == 302
    assert not Event.objects.filter(verb="export platform ids").exists()
    viewer = member(study, Role.VIEWER).get(reverse("decisions", args=[study.code])).text
    assert "For the platform" not in viewer
    assert "5f0ca1a5" not in viewer


def test_a_get_opens_no_seal(study):
    decided(study, "5f0ca1a5")
    assert member(study).get(reverse("pay_list", args=[study.code, "approve"])).status_code == 405


def test_an_id_that_is_a_formula_is_text(study):
    decided(study, "=HYPERLINK(1)")
    assert ask(member(study), study, "approve").text.splitlines() == ["'=HYPERLINK(1)"]


def test_where_a_rule_is_not_met_any_more_no_id_goes_out(study):
    decided(study, "5f0ca1a5")
    rejected(study, "60b2c3d4")
    CheckResult.objects.update(is_passed=True)
    answer = ask(member(study), study, "approve")
    assert answer.status_code == 302
    assert "cannot be exported" in " ".join(str(said) for said in get_messages(answer.wsgi_request))
    assert not Event.objects.filter(verb="export platform ids").exists()


def test_an_erased_id_is_in_no_list(study):
    annotator = decided(study, "5f0ca1a5")
    identities.erase_ids(type(annotator.identity).objects.all(), now=timezone.now())
    answer = ask(member(study), study, "approve")
    assert answer.status_code == 302
    assert "would be empty" in " ".join(str(said) for said in get_messages(answer.wsgi_request))


def test_people_without_a_platform_have_no_list():
    study = make_recruiting_study("open")
    client = member(study)
    assert "For the platform" not in client.get(reverse("decisions", args=[study.code])).text
    assert ask(client, study, "approve").status_code == 302
    assert ask(client, study, "nonsense").status_code == 404
