"""The monitor steers a study, says what it costs, and leads to decisions that keep the platform's rules."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.contrib.messages import get_messages
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from annotation.decisions import Decision
from annotation.models import Annotator, Assignment, CheckResult, Event, PayDecision, Recruitment
from annotation.presets import CLOSING, EXAMPLE, QUESTIONS, TRAINING
from annotation.services import deciding, monitoring, running, times
from annotation.states import Exit, Outcome
from annotation.views import steering
from tests import build
from tests.pages.people import agree, answers, held_by, page_of, start

pytestmark = pytest.mark.django_db
LONG = "The two sentences that said which side to choose were answered with the other side. We are sorry to say so."


@pytest.fixture
def researcher(client):
    client.force_login(build.make_researcher())
    return client


def make_paid_study(**over):
    money = {"payment_amount": Decimal(2), "payment_currency": "GBP", "hourly_floor": Decimal(12), "fee_percent": 25}
    return build.make_running_study(**(money | {"dialogues": 6, "k": 3, "annotators_limit": 10} | over))


def finish_one(study, *, minutes, exit_=Exit.COMPLETED, passed=None, judged=1):
    """Somebody who has judged one comparison in so many minutes and gone by this exit."""
    person = build.make_annotator(study, exit=exit_, submitted_count=judged)
    Annotator.objects.filter(pk=person.pk).update(instructed_at=person.consented_at)
    slot, now = study.slots.filter(is_open=True).first(), timezone.now()
    times = {"claimed_at": now - timedelta(minutes=passed or minutes), "submitted_at": now}
    build.judge(slot, person, [Outcome.TIE] * 3, active_ms=int(minutes * 60_000), **times)
    return person


def fail_checks(person, count):
    assignment = person.assignments.get()
    assert count == 1
    CheckResult.objects.create(
        assignment=assignment, annotator=person, kind="nonsense", name="moon", answer="agree", is_passed=False
    )


def steer(client, study, **fields):
    response = client.post(reverse("steer", args=[study.code]), fields)
    return " ".join(str(message) for message in get_messages(response.wsgi_request))


def test_pay_and_cost_are_those_of_the_people_who_finished():
    study = make_paid_study()
    for minutes in (6, 10, 12):
        finish_one(study, minutes=minutes)
    look = monitoring.look(study, now=timezone.now())
    assert (look.pay.median_hourly, look.pay.below_floor, look.pay.shortfall) == (
        Decimal("12.00"),
        1,
        Decimal("0.40"),
    )
    assert (look.cost.so_far, look.cost.to_come) == (Decimal("7.50"), Decimal("17.50"))


def test_a_night_between_consent_and_start_is_not_worked():
    study = make_paid_study()
    person = finish_one(study, minutes=10)
    Annotator.objects.filter(pk=person.pk).update(consented_at=timezone.now() - timedelta(hours=9))
    assert times.working_times(study)[person.pk].active == 600 + 20 * 60


@pytest.mark.parametrize(("minutes", "passed", "counted"), [(3, 10, 3), (600, 10, 10), (600, 600, 20), (5, 600, 5)])
def test_a_page_is_believed_within_the_time_that_passed_and_nobody_works_a_night_on_one_comparison(
    minutes, passed, counted
):
    study = make_paid_study()
    person = finish_one(study, minutes=minutes, passed=passed)
    assert times.working_times(study)[person.pk].active == pytest.approx(60 * counted)


def test_the_clock_counts_where_the_page_said_nothing():
    study = make_paid_study()
    person = finish_one(study, minutes=4)
    person.assignments.update(active_ms=None)
    assert times.working_times(study)[person.pk] == (pytest.approx(240), pytest.approx(240), 1)


def test_in_a_rehearsal_simulated_people_are_believed():
    study = make_paid_study(rehearsal_of=build.make_study())
    person = finish_one(study, minutes=4, passed=0.01)
    assert times.working_times(study)[person.pk] == (240, 240, 1)


def test_the_funnel_counts_each_step_of_the_study(client):
    study = build.make_running_study(device_check="any")
    person = start(client, study)
    assert person.instructed_at is None
    client.post(f"/s/{study.code}/device/", {"answer": "yes"})
    client.post(f"/s/{study.code}/next/")
    build.make_annotator(study, exit=Exit.NOT_ELIGIBLE)
    look = monitoring.look(study, now=timezone.now())
    assert [(s.name, s.people, s.lost) for s in look.funnel][:3] == [
        ("Agreed to take part", 2, 0),
        ("Looked at the screen", 1, 1),
        ("Read the instructions", 1, 0),
    ]
    assert look.exits == (("not eligible", 1),)


def test_the_monitor_shows_all_of_it(researcher):
    study = make_paid_study()
    finish_one(study, minutes=20)
    page = researcher.get(reverse("monitor", args=[study.code])).text
    for words in ("6.00 <small>GBP an hour", "Cost so far 2.50", "Pause the study", "More places", "A message to all"):
        assert words in page


def test_pause_and_go_on(researcher):
    study = build.make_running_study()
    assert "paused" in steer(researcher, study, deed="pause")
    study.refresh_from_db()
    assert study.state == "paused"
    assert "runs again" in steer(researcher, study, deed="resume")


def test_places_are_added_and_written_down(researcher):
    study = make_paid_study()
    assert "15 places" in steer(researcher, study, deed="top-up", places="5")
    assert Event.objects.get(verb="top up").detail == {"places": 5}


@pytest.mark.parametrize("places", ["", "0", "-3", "x", "9999999", "１"])
def test_places_that_are_no_number_are_refused(researcher, places):
    assert "number of places" in steer(researcher, make_paid_study(), deed="top-up", places=places)


def test_a_message_is_shown_once_on_the_next_page(researcher, client):
    study = build.make_running_study()
    person = start(client, study)
    page = page_of(held_by(person))
    running.tell_everybody(study, "We <b>mended</b> the font.", actor=None, now=timezone.now())
    assert "We &lt;b&gt;mended&lt;/b&gt; the font." in client.get(page).text
    assert "mended" not in client.get(page).text
    running.tell_everybody(study, "Thank you all.", actor=None, now=timezone.now())
    client.post(page, answers(study), headers={"HX-Request": "true"})
    shown = client.get(page_of(held_by(person))).text
    assert "mended" not in shown


def test_a_message_reaches_people_who_are_through_on_their_last_page(client):
    study = build.make_running_study(dialogues=1, k=1)
    person = start(client, study)
    running.tell_everybody(study, "Seen at work.", actor=None, now=timezone.now())
    client.get(page_of(held_by(person)))
    client.post(page_of(held_by(person)), answers(study))
    last = f"/s/{study.code}/finish/"
    assert "Seen at work." not in client.post(last, follow=True).text
    running.tell_everybody(study, "The bonus comes on Friday.", actor=None, now=timezone.now())
    for _ in range(2):
        assert "The bonus comes on Friday." in client.get(last).text
    running.tell_everybody(study, "", actor=None, now=timezone.now())
    assert "From the researchers" not in client.get(last).text


def test_whoever_comes_later_is_not_told_what_was_said_to_others(client):
    study = build.make_running_study()
    running.tell_everybody(study, "Please judge the last one again.", actor=None, now=timezone.now())
    person = start(client, study)
    assert "From the researchers" not in client.get(page_of(held_by(person))).text
    running.tell_everybody(study, "Thank you all.", actor=None, now=timezone.now())
    assert "Thank you all." in client.get(page_of(held_by(person))).text


def test_a_message_says_when_it_was_sent_for_a_day_may_pass_before_it_is_read(client):
    study = build.make_running_study(language="de")
    page = page_of(held_by(start(client, study)))
    running.tell_everybody(study, "Heute Abend ist Pause.", actor=None, now=datetime(2026, 3, 4, 15, 30, tzinfo=UTC))
    assert "4. März 2026 15:30 UTC</time>" in client.get(page).text


def test_viewers_and_strangers_steer_nothing(client):
    study = build.make_running_study()
    for person in (None, build.make_stranger(), build.make_stranger(is_staff=True)):
        if person:
            client.force_login(person)
        for name in ("steer", "decide"):
            answer = client.post(reverse(name, args=[study.code]), {"deed": "pause"})
            assert answer.status_code in {302, 403}
    study.refresh_from_db()
    assert study.state == "running"


def decide(client, study, person, **fields):
    response = client.post(reverse("decide", args=[study.code]), {"annotator": person.pseudonym} | fields)
    return " ".join(str(message) for message in get_messages(response.wsgi_request))


def test_a_decision_is_made_by_a_person_and_exported(researcher):
    study = make_paid_study()
    person = finish_one(study, minutes=12)
    assert "bonus" in researcher.get(reverse("decisions", args=[study.code])).text
    decide(researcher, study, person, decision="bonus", bonus="0.40")
    lines = researcher.get(reverse("decisions_file", args=[study.code])).text.splitlines()
    assert lines[1].startswith(f"{person.pseudonym},bonus,,,0.40,GBP,")


def test_a_rejection_without_a_ground_is_refused_with_the_rule(researcher):
    study = make_paid_study()
    person = finish_one(study, minutes=12)
    fail_checks(person, 1)
    assert "Rejection for attention checks needs fair ones failed" in decide(
        researcher, study, person, decision="reject", message=LONG
    )
    assert not PayDecision.objects.exists()


def test_one_failed_check_is_enough_in_a_short_study_and_the_file_says_why(researcher):
    study = make_paid_study(quota_per_annotator=4, seconds_per_comparison=60)
    person = finish_one(study, minutes=4)
    fail_checks(person, 1)
    decide(researcher, study, person, decision="reject", message=LONG)
    line = researcher.get(reverse("decisions_file", args=[study.code])).text.splitlines()[1]
    assert line.startswith(f"{person.pseudonym},reject,FAILED_CHECK,")


def test_a_decision_whose_rule_is_no_longer_met_is_not_exported(researcher):
    study = make_paid_study(quota_per_annotator=4, seconds_per_comparison=60)
    person = finish_one(study, minutes=4)
    fail_checks(person, 1)
    decide(researcher, study, person, decision="reject", message=LONG)
    CheckResult.objects.update(is_passed=True)
    answer = researcher.get(reverse("decisions_file", args=[study.code]))
    assert answer.status_code == 302
    told = " ".join(str(message) for message in get_messages(answer.wsgi_request))
    assert "cannot be exported" in told
    assert "attention checks" in told


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"decision": "burn"}, "Choose a decision"),
        ({"decision": "bonus", "bonus": "lots"}, "as a number"),
        ({"decision": "bonus", "bonus": "0"}, "above zero"),
        *[
            ({"decision": "bonus", "bonus": amount}, "as a number")
            for amount in ("NaN", "-1", "1,50", "1.505", "1e9", "1e400", "1e30", "Infinity", "1_0", "１", "0x1", "+1")
        ],
        ({"decision": "bonus", "bonus": "9999999"}, "looks like a slip"),
        ({"decision": "undo"}, "nothing to take back"),
        ({"decision": "return"}, "asked to return"),
    ],
)
def test_bad_decisions_are_refused_in_words(researcher, fields, told):
    study = make_paid_study()
    assert told in decide(researcher, study, finish_one(study, minutes=12), **fields)
    assert not PayDecision.objects.exists()


def make_crowd(study, *, minutes, judged):
    return [finish_one(study, minutes=minutes + n / 10, judged=judged) for n in range(11)]


def grounds_of(study, person):
    return next(case.grounds for case in deciding.cases(study) if case.annotator == person)


def test_whoever_found_little_left_is_not_too_fast_for_that():
    """One comparison takes a minute where twenty take twenty: that is no haste."""
    study = make_paid_study(dialogues=30)
    make_crowd(study, minutes=19, judged=20)
    few = finish_one(study, minutes=1, judged=1)
    hurried = finish_one(study, minutes=1, judged=20)
    assert grounds_of(study, few) == ()
    assert grounds_of(study, hurried) == ("TOO_QUICKLY",)


def test_whose_page_counted_too_little_is_not_too_fast():
    """A page behind another window counts nothing while it is read; the server's clock does."""
    study = make_paid_study(dialogues=30)
    make_crowd(study, minutes=19, judged=20)
    person = finish_one(study, minutes=1, passed=19, judged=20)
    assert grounds_of(study, person) == ()


def test_a_study_that_takes_people_five_minutes_needs_two_failed_checks_whatever_was_announced():
    study = make_paid_study(quota_per_annotator=4, seconds_per_comparison=60)
    person = finish_one(study, minutes=6)
    fail_checks(person, 1)
    assert grounds_of(study, person) == ()


def test_a_decision_is_taken_back(researcher):
    study = make_paid_study()
    person = finish_one(study, minutes=12)
    decide(researcher, study, person, decision="approve")
    assert "take it back" in researcher.get(reverse("decisions", args=[study.code])).text
    assert "nothing is decided any more" in decide(researcher, study, person, decision="undo")
    assert not PayDecision.objects.exists()
    assert Event.objects.get(verb="undo decision").detail == {"annotator": person.pseudonym, "decision": "approve"}
    assert researcher.get(reverse("decisions_file", args=[study.code])).text.count("\n") == 1


def seen_by(client, study):
    page = client.get(reverse("decisions", args=[study.code])).text
    return re.search(r'name="seen" value="([^"]*)"', page)[1]


@pytest.mark.parametrize("second", ["return", "approve", "undo"])
def test_of_two_tabs_the_second_does_not_undo_what_the_first_decided(researcher, second):
    study = make_paid_study()
    person = finish_one(study, minutes=12)
    seen = seen_by(researcher, study)
    assert "bonus" in decide(researcher, study, person, decision="bonus", bonus="1.20", seen=seen)
    assert "Somebody else has decided" in decide(researcher, study, person, decision=second, seen=seen)
    assert PayDecision.objects.get().bonus == Decimal("1.20")
    assert "approve" in decide(researcher, study, person, decision="approve", seen=seen_by(researcher, study))


def test_deciding_and_exporting_ask_the_database_as_often_for_many_people_as_for_one(researcher):
    def statements(people):
        study = make_paid_study(dialogues=30, annotators_limit=100)
        for _ in range(people):
            decide(researcher, study, finish_one(study, minutes=12), decision="approve")
        with CaptureQueriesContext(connection) as asked:
            page = researcher.get(reverse("decisions", args=[study.code])).text
            file = researcher.get(reverse("decisions_file", args=[study.code])).text
        assert page.count("<details>") == people == file.count(",approve,")
        return len(asked)

    statements(1)
    assert statements(12) == statements(1)


def test_what_wants_a_look_comes_first_and_many_people_are_shown_on_pages(researcher, monkeypatch):
    monkeypatch.setattr(steering, "PEOPLE_A_PAGE", 2)
    study = make_paid_study(quota_per_annotator=4, seconds_per_comparison=60)
    plain, done, poor, failed = (finish_one(study, minutes=minutes) for minutes in (4, 4, 20, 4))
    fail_checks(failed, 1)
    decide(researcher, study, done, decision="approve")
    address = reverse("decisions", args=[study.code])
    pages = [researcher.get(f"{address}?page={number}").text for number in (1, 2)]
    shown = [re.findall(r'<th scope="row">([^<]+)</th>', page) for page in pages]
    assert shown == [[failed.pseudonym, poor.pseudonym], [plain.pseudonym, done.pseudonym]]
    assert all("Still to decide: reject 1, bonus 1, approve 1." in page for page in pages)
    assert "1 of 2" in pages[0]
    form = {"annotator": plain.pseudonym, "decision": "approve", "page": "2"}
    assert researcher.post(reverse("decide", args=[study.code]), form).url == f"{address}?page=2"


def test_cost_counts_bonuses_and_leaves_out_the_rejected():
    study = make_paid_study(quota_per_annotator=4, seconds_per_comparison=60, annotators_limit=None)
    paid, given, failed = (finish_one(study, minutes=4) for _ in range(3))
    fail_checks(failed, 1)
    now = timezone.now()
    deciding.decide(study, given.pseudonym, Decision.BONUS, bonus=Decimal("0.40"), actor=None, now=now)
    deciding.decide(study, failed.pseudonym, Decision.REJECT, message=LONG, actor=None, now=now)
    assert grounds_of(study, paid) == ()
    look = monitoring.look(study, now=now)
    assert look.cost.so_far == Decimal("5.50")
    assert look.cost.to_come == Decimal("10.00"), "15 places of comparisons make four parts of four"


def test_cost_to_come_counts_those_who_are_at_it_and_is_bounded_by_the_places_of_batches():
    study = make_paid_study(dialogues=1, k=1, annotators_limit=None)
    slot, person = study.slots.get(), build.make_annotator(study)
    held = {"claimed_at": timezone.now(), "lease_until": timezone.now(), "number": 1}
    Assignment.objects.create(slot=slot, comparison=slot.comparison, annotator=person, **held)
    study.slots.update(is_open=False)
    assert monitoring.look(study, now=timezone.now()).cost.to_come == Decimal("2.50")
    study.slots.update(is_open=True)
    recruitment = Recruitment.objects.create(study=study)
    recruitment.batches.create(name="Tuesday", key="", places=1)
    assert monitoring.look(study, now=timezone.now()).cost.to_come == Decimal("2.50")


def approve_all(client, study, seen):
    response = client.post(reverse("approve_all", args=[study.code]), {"seen": seen})
    return " ".join(str(message) for message in get_messages(response.wsgi_request))


def test_all_are_approved_at_once_for_whom_nothing_else_is_proposed(researcher):
    study = make_paid_study()
    plain = [finish_one(study, minutes=2) for _ in range(2)]
    poor, cheat = finish_one(study, minutes=30), finish_one(study, minutes=2)
    fail_checks(cheat, 1)
    gone = finish_one(study, minutes=2, exit_=Exit.WITHDREW)
    decide(researcher, study, cheat, decision="approve")
    page = researcher.get(reverse("decisions", args=[study.code])).text
    assert "Approve the 2 for whom nothing else is proposed" in page
    assert "2 approved" in approve_all(researcher, study, seen=2)
    decided = dict(PayDecision.objects.values_list("annotator__pseudonym", "decision"))
    assert decided == {person.pseudonym: "approve" for person in (*plain, cheat)}
    assert not PayDecision.objects.filter(annotator__in=[poor, gone]).exists()
    assert Event.objects.get(verb="approve all").detail["annotators"] == [person.pseudonym for person in plain]
    assert "Approve the" not in researcher.get(reverse("decisions", args=[study.code])).text


def test_of_others_than_were_seen_nobody_is_approved_at_once(researcher):
    study = make_paid_study()
    for _ in range(3):
        finish_one(study, minutes=2)
    assert "Meanwhile there are 3 people" in approve_all(researcher, study, seen=2)
    assert "Meanwhile there are 3 people" in approve_all(researcher, study, seen="x")
    assert not PayDecision.objects.exists()


def test_no_working_time_is_made_up_for_who_did_not_finish(researcher):
    study = make_paid_study()
    finish_one(study, minutes=2, exit_=Exit.WITHDREW)
    page = researcher.get(reverse("decisions", args=[study.code])).text
    assert '<td class="n" data-label="Active">–</td>' in page
    assert "0.0 min" not in page


def test_somebody_of_another_study_cannot_be_decided_about(researcher):
    study, person = make_paid_study(), finish_one(make_paid_study(), minutes=12)
    assert "never was" in decide(researcher, study, person, decision="approve")


def test_a_message_is_shown_once_on_each_step_page(client):
    study = build.make_running_study(device_check="any", instructions="Read.")
    for part in (EXAMPLE, *TRAINING[:1]):
        study.practice.create(**part)
    study.comprehension_questions.create(**QUESTIONS[0])
    study.closing_questions.create(**CLOSING[0])
    agree(client, study)
    home = f"/s/{study.code}/"
    steps = [
        ("device/", {"answer": "yes"}),
        ("instructions/", None),
        ("questions/", {f"q{study.comprehension_questions.get().pk}": QUESTIONS[0]["right_option"]}),
        ("practice/", {"number": "1", study.criteria.first().key: "1"}),
    ]
    for number, (part, data) in enumerate(steps):
        running.tell_everybody(study, f"Note {number} <b>", actor=None, now=timezone.now())
        assert f"Note {number} &lt;b&gt;" in client.get(home + part).text, part
        assert f"Note {number}" not in client.get(home + part).text, part
        client.post(home + part if data else f"{home}next/", data or {})
    running.tell_everybody(study, "Note of feedback", actor=None, now=timezone.now())
    assert "Note of feedback" in client.get(f"{home}practice/?answered=1").text


@pytest.mark.parametrize("state", ["running", "paused"])
def test_a_message_is_shown_once_where_there_is_nothing_to_judge(client, state):
    study = build.make_running_study(dialogues=1, k=1)
    person = start(client, study)
    if state == "running":
        client.post(page_of(held_by(person)), answers(study))
    else:
        person.assignments.update(state="expired")
    running.tell_everybody(study, "Back at noon.", actor=None, now=timezone.now())
    study.state = state
    study.save()
    page = f"/s/{study.code}/next/"
    assert "Back at noon." not in client.head(page).text
    assert "Back at noon." in client.get(page).text
    assert "Back at noon." not in client.get(page).text


def test_a_message_is_shown_above_a_content_warning(client):
    study = build.make_running_study()
    study.collections.get().dialogues.update(content_warning="Grief")
    person = start(client, study)
    running.tell_everybody(study, "Back at noon.", actor=None, now=timezone.now())
    page = client.get(page_of(held_by(person))).text
    assert "Grief" in page
    assert "Back at noon." in page
