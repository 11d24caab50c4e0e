"""The monitor says how a running study goes at this moment."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from annotation.models import Assignment, PlatformBatch, ProblemReport, Recruitment
from annotation.services import monitoring
from annotation.states import ComparisonKind, Exit, Outcome, Side
from annotation.views.monitor import pause_between
from tests import build
from tests.console.judging import make_judged_study
from tests.console.test_steering import finish_one, make_paid_study
from tests.pages.people import held_by, page_of, start

pytestmark = pytest.mark.django_db


def hold(study, annotator, *, minutes):
    slot = study.slots.filter(is_open=True).first()
    now = timezone.now()
    held = {"claimed_at": now, "lease_until": now + timedelta(minutes=minutes), "number": 1}
    slot.is_open = False
    slot.save()
    return Assignment.objects.create(slot=slot, comparison=slot.comparison, annotator=annotator, **held)


def test_counts_add_up():
    study = build.make_running_study(dialogues=3, k=2)
    first = study.comparisons.order_by("pk").first()
    for slot in first.slots.all():
        build.judge(slot, build.make_annotator(study), [Outcome.TIE] * 3)
    hold(study, build.make_annotator(study), minutes=2)
    hold(study, build.make_annotator(study), minutes=-1)
    look = monitoring.look(study, now=timezone.now())
    assert (look.counts.judged, look.counts.slots, look.counts.held, look.complete) == (2, 6, 2, 1)
    assert look.ending_soon == 2
    assert (look.treatment_left, look.treatment_right) == (1, 1)
    assert [person.notices for person in look.people] == [(), ("away",)]


def test_whoever_holds_a_gold_comparison_is_at_work_like_the_others():
    study = build.make_running_study(dialogues=2, k=1)
    study.comparisons.filter(pk=study.slots.first().comparison_id).update(kind=ComparisonKind.GOLD)
    for _ in range(2):
        hold(study, build.make_annotator(study), minutes=10)
    look = monitoring.look(study, now=timezone.now())
    assert (look.holding, look.ending_soon, len(look.people)) == (2, 0, 2)


def test_medians_prefer_the_time_that_the_page_counted():
    study = build.make_running_study(dialogues=3, k=1)
    came = timezone.now() - timedelta(hours=1)
    times = {"claimed_at": came, "submitted_at": came + timedelta(seconds=90)}
    for slot, active in zip(study.slots.all(), (10_000, None, 30_000), strict=True):
        build.judge(slot, build.make_annotator(study), [Outcome.TIE] * 3, active_ms=active, **times)
    assert monitoring.look(study, now=timezone.now()).median_seconds == 30


def test_somebody_much_faster_than_the_others_is_noticed():
    study = make_judged_study(dialogues=10, k=1, annotators=2)
    hurried = build.make_annotator(study)
    comparison = build.make_comparison(study.matchups.get(), build.make_dialogue(), k=1)
    build.judge(comparison.slots.get(), hurried, [Outcome.TIE] * 3, active_ms=900)
    build.make_comparison(study.matchups.get(), build.make_dialogue(), k=1)
    hold(study, hurried, minutes=5)
    (person,) = monitoring.look(study, now=timezone.now()).people
    assert person.notices == ("fast",)


def test_the_same_answer_all_the_time_is_a_notice_wherever_the_agents_stood():
    study = build.make_running_study(dialogues=5, k=2)
    uniform, other = build.make_annotator(study), build.make_annotator(study)
    for slot in study.slots.filter(ordinal__lt=2):
        left = Outcome.TREATMENT if slot.treatment_side == Side.LEFT else Outcome.BASELINE
        person = uniform if slot.ordinal == 0 else other
        build.judge(slot, person, [left] * 3 if person is uniform else [Outcome.TREATMENT, Outcome.TIE, left])
    for person in (uniform, other):
        build.make_comparison(study.matchups.get(), build.make_dialogue(), k=1)
        hold(study, person, minutes=5)
    notices = {each.pseudonym: each.notices for each in monitoring.look(study, now=timezone.now()).people}
    assert notices == {uniform.pseudonym: ("same answer",), other.pseudonym: ()}


def test_few_answers_are_no_pattern():
    study = build.make_running_study(dialogues=4, k=1)
    person = build.make_annotator(study)
    for slot in study.slots.all()[:3]:
        build.judge(slot, person, [Outcome.TIE] * 3)
    hold(study, person, minutes=5)
    (shown,) = monitoring.look(study, now=timezone.now()).people
    assert shown.notices == ()


def test_lost_are_those_who_are_gone_and_the_others_are_not_there_yet():
    study = build.make_running_study()
    now = timezone.now()
    build.make_annotator(study, instructed_at=now, submitted_count=1)
    build.make_annotator(study, instructed_at=now, submitted_count=2, exit=Exit.COMPLETED)
    build.make_annotator(study, instructed_at=now, submitted_count=1, exit=Exit.WITHDREW)
    build.make_annotator(study, exit=Exit.RETURNED)
    build.make_annotator(study)
    stages = monitoring.look(study, now=now).funnel
    assert [(stage.people, stage.lost, stage.open) for stage in stages] == [
        (5, 0, 0),
        (3, 1, 1),
        (3, 0, 0),
        (1, 1, 1),
    ]


def test_platform_batches_keep_their_order_however_many_people_come():
    study = build.make_running_study()
    recruitment = Recruitment.objects.create(study=study, platform="prolific")
    names = ["United Kingdom", "Ireland", "Austria", "Belgium", "Chile"]
    for name in names:
        batch = PlatformBatch.objects.create(recruitment=recruitment, name=name, key=name)
        for _ in range(60):
            build.make_annotator(study, batch=batch)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    assert [batch.name for batch in monitoring.look(study, now=timezone.now()).batches] == names


def test_an_empty_study_has_no_median(client):
    study = build.make_running_study()
    client.force_login(build.make_researcher())
    page = client.get(reverse("monitor", args=[study.code])).content.decode()
    assert "Nobody holds a comparison at this moment." in page
    assert "Nobody has reported anything." in page


def test_reports_are_shown_as_text_with_the_dialogue_and_never_with_an_agent(client):
    study = make_judged_study(dialogues=2)
    assignment = Assignment.objects.filter(annotator__study=study, slot__treatment_side=Side.LEFT).first()
    ProblemReport.objects.create(study=study, assignment=assignment, text="<b>Same</b> text")
    client.force_login(build.make_researcher())
    page = client.get(reverse("monitor", args=[study.code])).content.decode()
    assert "&lt;b&gt;Same&lt;/b&gt; text" in page
    assert assignment.comparison.dialogue.external_id in page
    assert study.matchups.get().treatment.name not in page


def test_htmx_gets_the_figures_alone_and_asks_again_as_long_as_something_may_happen(client):
    study = build.make_running_study()
    client.force_login(build.make_researcher())
    part = client.get(reverse("monitor", args=[study.code]), headers={"HX-Request": "true"}).content.decode()
    assert part.lstrip().startswith('<div id="figures"')
    assert re.search(r'hx-trigger="every \d+s"', part)
    study.state = "paused"
    study.save()
    paused = client.get(reverse("monitor", args=[study.code])).text
    assert re.search(r'hx-trigger="every \d+s"', paused)
    assert "paused, updated" in paused
    study.state = "closed"
    study.save()
    assert "hx-trigger" not in client.get(reverse("monitor", args=[study.code])).text


@pytest.mark.parametrize(
    ("took", "is_running", "seconds"), [(0.01, True, 5), (0.27, True, 14), (0.27, False, 30), (2.0, False, 100)]
)
def test_an_open_page_asks_more_seldom_the_more_its_figures_cost(took, is_running, seconds):
    assert pause_between(took, is_running=is_running) == seconds


def test_a_page_whose_session_is_over_leads_to_the_sign_in_as_a_whole(client):
    """Else the form to sign in would be drawn where the figures were, and asked for every five seconds."""
    address = reverse("monitor", args=[build.make_running_study().code])
    answer = client.get(address, headers={"HX-Request": "true"})
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["HX-Redirect"] == client.get(address).url


def test_strangers_see_nothing(client):
    study = build.make_running_study()
    assert client.get(reverse("monitor", args=[study.code])).status_code == 302
    client.force_login(build.make_stranger(is_staff=True))
    assert client.get(reverse("monitor", args=[study.code])).status_code == 403


def test_a_report_from_the_rating_page_names_the_person_and_leads_to_the_comparison(client):
    study = build.make_running_study(dialogues=2, k=1)
    annotator = start(client, study)
    held = held_by(annotator)
    client.post(page_of(held, "report/"), {"text": "The right reply is cut off <here>."})
    researcher = Client()
    researcher.force_login(build.make_researcher())
    page = researcher.get(reverse("monitor", args=[study.code])).text
    shown = page[page.index("Reported problems") : page.index("Judging now")]
    assert "1 open" in shown
    assert "The right reply is cut off &lt;here&gt;." in shown
    assert annotator.pseudonym in shown
    (address,) = re.findall(r'href="([^"]+)"', shown)
    assert address == reverse("admin:annotation_comparison_change", args=[held.comparison_id])
    opened = researcher.get(address)
    assert opened.status_code == 200
    assert str(held.comparison.code) in opened.text


def test_the_pace_of_the_last_hour_says_when_the_study_is_done(client):
    study = build.make_running_study(dialogues=18, k=1)
    now = timezone.now()
    for minutes, slot in zip((100, 50, 40, 30, 20, 10), study.slots.all(), strict=False):
        build.judge(slot, build.make_annotator(study), [Outcome.TIE] * 3, submitted_at=now - timedelta(minutes=minutes))
    look = monitoring.look(study, now=now)
    assert look.done_at == now + timedelta(minutes=60 * 12 / 5)
    client.force_login(build.make_researcher())
    assert "done in about 2 hours, about" in client.get(reverse("monitor", args=[study.code])).text
    study.state = "paused"
    assert monitoring.look(study, now=now).done_at is None


def test_pay_is_drawn_for_everybody_and_stands_in_a_table(client):
    study = make_paid_study(dialogues=8)
    for minutes in (6, 10, 12, 20):
        finish_one(study, minutes=minutes)
    client.force_login(build.make_researcher())
    page = client.get(reverse("monitor", args=[study.code])).text
    assert page.count("<circle") == 4
    assert page.count('class="f-loss" cx') == 2
    assert "Each dot is a person" in page
    assert '<th scope="row">20 to below 21</th><td class="n">1</td>' in page


def statements_for(client, people):
    study = make_paid_study(dialogues=3 * people, k=1, annotators_limit=1000)
    for n in range(people):
        finish_one(study, minutes=5 + n)
        hold(study, build.make_annotator(study), minutes=5)
        assignment = Assignment.objects.filter(annotator__study=study).latest("pk")
        ProblemReport.objects.create(study=study, assignment=assignment, text="Cut off.")
    with CaptureQueriesContext(connection) as seen:
        page = client.get(reverse("monitor", args=[study.code]))
    assert page.text.count("<circle") == people
    return len(seen)


def test_the_monitor_asks_the_database_as_often_for_many_people_as_for_one(client):
    client.force_login(build.make_researcher())
    statements_for(client, 1)
    assert statements_for(client, 12) == statements_for(client, 1)
