"""Checks, gold and repeats on the rating page: kept apart from the results, and never told before they are answered."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from annotation.checks import FIELD, FIRST_REPEAT_AFTER, item_for
from annotation.models import Annotator, Assignment, CheckResult, Comparison, Slot
from annotation.services import golds, reports, studies
from annotation.services.claiming import expire_stale
from annotation.services.sheets import checks_of
from annotation.states import ComparisonKind, Outcome
from tests.build import make_running_study
from tests.console.test_study_admin import make_draft_with_responses
from tests.pages.people import answers, held_by, page_of, start
from tests.pages.test_cost import CONTROL
from tests.test_checks import DISAGREEING, follow

pytestmark = pytest.mark.django_db


def seeded(client, study, seed=1):
    """A person who has begun, whose places are those of this seed."""
    annotator = start(client, study)
    Annotator.objects.filter(pk=annotator.pk).update(seed=seed)
    annotator.refresh_from_db()
    return annotator


def item_of(study, annotator):
    return item_for(checks_of(study), seed=annotator.seed, number=held_by(annotator).number)


def go_on(client, study, annotator, **over):
    """Answer what is held, its check as it asks."""
    item = item_of(study, annotator)
    form = answers(study) | ({FIELD: min(item.passing)} if item else {}) | over
    return client.post(page_of(held_by(annotator)), form)


def to_check(client, study, annotator):
    while item_of(study, annotator) is None:
        go_on(client, study, annotator)


@pytest.fixture
def study():
    return make_running_study(dialogues=12, k=2, check_every=4)


def test_a_check_stands_under_its_comparison_and_is_stored_apart(client, study):
    annotator = seeded(client, study)
    to_check(client, study, annotator)
    held = held_by(annotator)
    assert f'name="{FIELD}"' in client.get(page_of(held)).text
    go_on(client, study, annotator)
    result = CheckResult.objects.get()
    assert result.is_passed
    assert result.assignment_id == held.pk
    assert held.judgements.count() == study.criteria.count()


SETUPS = [
    {"scale": "two"},
    {"scale": "three", "offers_both_bad": True},
    {"scale": "five", "reason_from_strength": 2},
    {"scale": "seven", "shuffles_criteria": True, "reason_from_strength": 0, "offers_both_bad": True},
]


@pytest.mark.parametrize("language", DISAGREEING)
@pytest.mark.parametrize("setup", SETUPS, ids=lambda setup: setup["scale"])
def test_who_reads_the_page_and_does_what_it_says_passes_every_check(client, language, setup):
    """Four people through a whole study: a check in every second comparison, gold and repeats, a quota past the end."""
    over = {"check_every": 2, "quota_per_annotator": 20, "language": language, "judgements_per_comparison": 4}
    study = make_special_study(**over, **setup)
    for seed in range(4):
        browser = Client()
        annotator = seeded(browser, study, seed=seed)
        while held := annotator.assignments.filter(state="claimed").first():
            html = browser.get(page_of(held)).text
            form = answers(study, value="1")
            if 'name="one-more"' in html:
                form[FIELD] = follow(html, language)
            assert browser.post(page_of(held), form).status_code == 302
        asked = CheckResult.objects.filter(annotator=annotator)
        judged = annotator.assignments.filter(state="submitted").count()
        assert asked.count() >= judged // 2 >= 6
        assert not asked.filter(is_passed=False).exists()
    judged_main = study.comparisons.filter(kind="main", assignments__state="submitted").count()
    assert reports.make_report(study)["data"]["analysed"] == judged_main * study.criteria.count()


def test_a_failed_check_is_stored_and_nothing_follows_by_itself(client, study):
    annotator = seeded(client, study)
    to_check(client, study, annotator)
    item = item_of(study, annotator)
    wrong = next(value for value in item.options if not item.passes(value))
    assert go_on(client, study, annotator, **{FIELD: wrong}).status_code == 302
    assert not CheckResult.objects.get().is_passed
    annotator.refresh_from_db()
    assert (annotator.exit, annotator.excluded_at) == ("", None)


@pytest.mark.parametrize("value", ["", "sideways", "1"])
def test_an_unanswered_check_is_asked_again_and_loses_nothing(client, study, value):
    annotator = seeded(client, study)
    to_check(client, study, annotator)
    page = go_on(client, study, annotator, **{FIELD: value})
    assert page.status_code == 422
    assert page.text.count('aria-keyshortcuts="1" checked') == study.criteria.count()
    assert not CheckResult.objects.exists()


def test_a_draft_keeps_the_answer_to_a_check(client, study):
    annotator = seeded(client, study)
    to_check(client, study, annotator)
    option = item_of(study, annotator).options[0]
    client.post(page_of(held_by(annotator), "draft/"), {FIELD: option})
    assert (
        f'value="{option}" required data-key="1" aria-keyshortcuts="1" checked'
        in client.get(page_of(held_by(annotator))).text
    )


def test_a_check_costs_one_statement_more_and_only_where_it_stands(client, study):
    annotator = seeded(client, study)
    for _ in range(2):
        go_on(client, study, annotator)
    to_check(client, study, annotator)
    page, form = page_of(held_by(annotator)), answers(study) | {FIELD: min(item_of(study, annotator).passing)}
    with CaptureQueriesContext(connection) as seen:
        client.post(page, form)
    sql = [query["sql"].strip() for query in seen.captured_queries]
    assert len([s for s in sql if not s.startswith(CONTROL)]) <= 5
    assert sum("annotation_checkresult" in s for s in sql) == 1


def make_special_study(**over):
    """A launched study of 12 dialogues, two of them gold, with every kind of comparison that does not count."""
    study = make_draft_with_responses(dialogues=12, **{"gold_every": 4, "repeat_every": 5} | over)
    for comparison in study.comparisons.order_by("pk")[:2]:
        golds.mark_gold(comparison, Outcome.TREATMENT, actor=None)
    return studies.launch(study, actor=None, now=timezone.now())


def test_gold_and_repeats_come_at_their_places_and_count_in_no_result(client):
    study = make_special_study()
    annotator = seeded(client, study, seed=3)
    while held := annotator.assignments.filter(state="claimed").first():
        client.post(page_of(held), answers(study))
    kinds = list(annotator.assignments.order_by("number").values_list("comparison__kind", flat=True))
    assert kinds.count("gold") == 2
    assert kinds.count("repeat") >= 1
    assert kinds.count("main") == 10
    report = reports.make_report(study)
    counts = report["data"]
    assert counts["repeats"] == kinds.count("repeat") * 3
    assert counts["analysed"] == 30
    (person,) = reports.show(study, now=timezone.now()).people["annotators"]
    assert person["gold"]["asked"] == 6
    assert person["repeats"]
    assert studies.is_unchanged(study)


def test_a_repeat_is_the_same_pair_with_swapped_sides_and_not_at_once(client):
    study = make_special_study(gold_every=None)
    annotator = seeded(client, study, seed=3)
    while held := annotator.assignments.filter(state="claimed").first():
        client.post(page_of(held), answers(study))
    again = annotator.assignments.filter(comparison__kind="repeat").select_related("comparison", "slot")
    assert again
    for repeat in again:
        pair = {"dialogue_id": repeat.comparison.dialogue_id, "matchup_id": repeat.comparison.matchup_id}
        first = annotator.assignments.get(comparison__in=Comparison.objects.filter(kind="main", **pair))
        assert first.slot.treatment_side != repeat.slot.treatment_side
        assert first.comparison.baseline_response_id == repeat.comparison.baseline_response_id
        assert repeat.number - first.number > FIRST_REPEAT_AFTER


def test_a_special_claim_takes_no_more_statements_than_a_usual_one(client):
    study = make_special_study()
    annotator = seeded(client, study, seed=3)
    go_on(client, study, annotator)
    for _ in range(8):
        page, form = page_of(held_by(annotator)), answers(study)
        with CaptureQueriesContext(connection) as seen:
            client.post(page, form)
        sql = [query["sql"].strip() for query in seen.captured_queries]
        if held_by(annotator).comparison.kind != ComparisonKind.MAIN:
            assert len([s for s in sql if not s.startswith(CONTROL)]) <= 5
            return
    pytest.fail("no special comparison came")


def test_a_special_place_that_somebody_lets_go_is_nobody_elses(client):
    study = make_special_study(repeat_every=None)
    annotator = seeded(client, study, seed=3)
    while held_by(annotator).comparison.kind != ComparisonKind.GOLD:
        go_on(client, study, annotator)
    gold = held_by(annotator)
    Assignment.objects.filter(pk=gold.pk).update(lease_until=timezone.now().replace(year=2000))
    assert expire_stale(now=timezone.now()) == 1
    assert not Slot.objects.filter(comparison__kind=ComparisonKind.GOLD, is_open=True).exists()
    client.post(f"/s/{study.code}/next/")
    assert held_by(annotator).comparison.kind == ComparisonKind.GOLD
    client.post(page_of(held_by(annotator), "skip/"))
    assert not Slot.objects.filter(comparison__kind=ComparisonKind.GOLD, is_open=True).exists()
    assert held_by(annotator)


def test_a_hasty_answer_is_asked_once_and_then_taken(client):
    study = make_running_study(dialogues=3, minimum_seconds=5)
    held = held_by(start(client, study))
    page = client.post(page_of(held), answers(study) | {"active_ms": "1200"})
    assert page.status_code == 422
    assert 'name="sure" value="1200"' in page.text
    assert "If you are sure" in page.text
    client.post(page_of(held), answers(study) | {"active_ms": "300", "sure": "1200"})
    held.refresh_from_db()
    assert (held.state, held.active_ms) == ("submitted", 1500)


@pytest.mark.parametrize("active", ["5000", "", "x"])
def test_nobody_is_asked_who_took_their_time_or_has_no_script(client, active):
    study = make_running_study(dialogues=3, minimum_seconds=5)
    held = held_by(start(client, study))
    assert client.post(page_of(held), answers(study) | {"active_ms": active}).status_code == 302


@pytest.mark.parametrize(("is_taken", "state"), [(True, "surplus"), (False, "submitted")])
@pytest.mark.parametrize("is_right", [True, False])
def test_a_late_answer_keeps_the_outcome_of_its_check(client, study, is_taken, state, is_right):
    annotator = seeded(client, study)
    to_check(client, study, annotator)
    held, item = held_by(annotator), item_of(study, annotator)
    expire_stale(now=held.lease_until + timedelta(seconds=1))
    if is_taken:
        Slot.objects.filter(pk=held.slot_id).update(is_open=False)
    given = next(value for value in item.options if item.passes(value) == is_right)
    client.post(page_of(held), answers(study) | {FIELD: given})
    held.refresh_from_db()
    assert held.state == state
    assert CheckResult.objects.get(assignment=held).is_passed == is_right


def test_a_late_answer_without_its_check_is_taken_and_the_check_stays_open(client, study):
    annotator = seeded(client, study)
    to_check(client, study, annotator)
    held = held_by(annotator)
    expire_stale(now=held.lease_until + timedelta(seconds=1))
    client.post(page_of(held), answers(study) | {FIELD: "no such option"})
    held.refresh_from_db()
    assert held.state == "submitted"
    assert not CheckResult.objects.exists()
