"""The pages about annotators: figures to look at, judgements behind them, and decisions that leave a trace."""

import csv
import io
import re

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.db.models import Count
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from annotation.models import Event, GoldAnswer, Membership
from annotation.reporting.people import people_table
from annotation.roles import Role
from annotation.services import reports, studies
from annotation.states import AssignmentState, Outcome
from tests import build
from tests.console.simulated import make_simulated_study
from tests.console.test_figures import numbers_of
from tests.console.test_results_page import closed, page_of, words

pytestmark = pytest.mark.django_db


@pytest.fixture
def researcher(client):
    client.force_login(build.make_researcher())
    return client


def names_in(page):
    """The annotators of the table, from top to bottom."""
    return re.findall(r'<th scope="row"><a href="[^"]+">([^<]+)</a>', page)


def shown(client, name, *args, **query):
    response = client.get(reverse(name, args=args), query)
    assert response.status_code == 200
    return response.content.decode()


def decide(client, study, annotator, what, reason="", **extra):
    return client.post(reverse(f"annotator-{what}", args=[study.code, annotator.pk]), {"reason": reason}, **extra)


def test_the_table_holds_every_figure_of_everybody(researcher):
    study = closed(make_simulated_study(dialogues=24, annotators=6, repeats=4))
    page = words(shown(researcher, "annotators", study.code))
    for heading in (
        "Agreement",
        "Known answers",
        "Same answer",
        "Longest run",
        "Left",
        "Time",
        "Fast",
        "Unread",
        "Repeats",
    ):
        assert heading in page
    rows = list(
        csv.DictReader(io.StringIO(researcher.get(reverse("annotators-csv", args=[study.code])).getvalue().decode()))
    )
    assert len(rows) == 6
    hurried = next(row for row in rows if row["annotator"] == study.annotators.order_by("pk").last().pseudonym)
    assert (float(hurried["left"]), float(hurried["modal"])) == (1.0, 1.0)
    assert float(hurried["seconds"]) < 6
    assert sum(float(row["repeats"]) >= 0 for row in rows if row["repeats"]) == 4
    assert "s in this study" in page


@pytest.mark.parametrize("key", ["seconds", "agreement", "left"])
def test_every_press_on_a_heading_sorts_and_says_so(researcher, key):
    study = closed(make_simulated_study(dialogues=20, annotators=6))
    up, down = (shown(researcher, "annotators", study.code, sort=order) for order in (key, f"-{key}"))
    assert 'aria-sort="ascending"' in up
    assert 'aria-sort="descending"' in down
    assert f'href="?sort=-{key}"' in up
    people = {row["annotator"]: row for row in reports.show(study, now=study.closed_at).people["annotators"]}
    ordered = [row.numbers[key] for row in people_table(list(people.values()), key).rows]
    assert ordered == sorted(ordered)
    assert names_in(up) == [row.annotator for row in people_table(list(people.values()), key).rows]
    assert sorted(names_in(up)) == sorted(names_in(down))


def test_an_order_that_is_none_is_that_of_the_names(researcher):
    study = closed(make_simulated_study(dialogues=8, annotators=4))
    assert names_in(shown(researcher, "annotators", study.code, sort="nonsense")) == sorted(
        study.annotators.values_list("pseudonym", flat=True)
    )


def test_known_answers_are_counted_with_their_lower_limit(researcher):
    study = make_simulated_study(dialogues=8, annotators=4)
    criterion = study.criteria.first()
    first, second = study.comparisons.order_by("pk")[:2]
    person = first.assignments.first().annotator
    for comparison in (first, second):
        said = comparison.assignments.first().judgements.get(criterion=criterion)
        expected = said.outcome if comparison == first else Outcome.TIE
        GoldAnswer.objects.create(study=study, comparison=comparison, criterion=criterion, expected=expected)
    gold = {row["annotator"]: row["gold"] for row in reports.show(study, now=study.launched_at).people["annotators"]}
    asked = study.annotators.filter(assignments__comparison__in=[first, second]).annotate(n=Count("pk"))
    assert {name: found["asked"] for name, found in gold.items() if found} == {each.pseudonym: each.n for each in asked}
    assert gold[person.pseudonym]["correct"] >= 1
    assert gold[person.pseudonym]["low"] < gold[person.pseudonym]["share"]
    assert f"{gold[person.pseudonym]['correct']} of {gold[person.pseudonym]['asked']}, ≥" in words(
        shown(researcher, "annotators", study.code)
    )
    assert reports.make_report(study)["annotators"][0]["gold"] == gold[sorted(gold)[0]]


def test_whoever_lacks_a_figure_comes_last_in_either_order():
    figures = dict.fromkeys(("agreement", "gold", "left_share", "median_seconds", "fast_share"))
    rest = {"below_reading_share": None, "repeats": None, "n_comparisons": 1, "modal_share": 1.0, "longest_run": 1}
    lacking, having = ({"annotator": name, **figures, **rest} for name in ("a", "b"))
    having["left_share"] = 0.5
    assert [[row.annotator for row in people_table([lacking, having], order).rows] for order in ("left", "-left")] == [
        ["b", "a"],
        ["b", "a"],
    ]


def test_a_name_leads_to_that_persons_judgements_beside_those_of_the_others(researcher):
    study = build.make_running_study(dialogues=1, k=2)
    first, second = (build.make_annotator(study, pseudonym=name) for name in ("Heron 1", "Heron 2"))
    slots = study.slots.order_by("ordinal")
    build.judge(slots[0], first, [Outcome.TREATMENT, Outcome.TIE, Outcome.BASELINE])
    build.judge(slots[1], second, [Outcome.TREATMENT, Outcome.BOTH_BAD, Outcome.BASELINE])
    matchup = study.matchups.get()
    assert reverse("annotator-judgements", args=[study.code, first.pk]) in shown(researcher, "annotators", study.code)
    page = words(shown(researcher, "annotator-judgements", study.code, first.pk))
    assert f"Naturalness {matchup.treatment.name} 1 × {matchup.treatment.name}" in page
    assert "Engagingness about the same 1 × both bad" in page


def test_pages_of_judgements_take_as_many_queries_for_many_as_for_few(researcher):
    few, many = make_simulated_study(dialogues=4, annotators=4), make_simulated_study(dialogues=40, annotators=4)
    counts = []
    for study in (few, many):
        address = reverse("annotator-judgements", args=[study.code, study.annotators.first().pk])
        researcher.get(address)
        with CaptureQueriesContext(connection) as queries:
            researcher.get(address)
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_an_exclusion_needs_a_reason_and_goes_into_the_ledger(researcher):
    study = closed(make_simulated_study(dialogues=12, annotators=6))
    person = study.annotators.first()
    refused = decide(researcher, study, person, "exclude", "  ")
    assert refused.status_code == 400
    assert "Give a reason" in refused.content.decode()
    assert "36 judgements" in words(page_of(researcher, study))
    assert decide(researcher, study, person, "exclude", "Answered in two seconds.").status_code == 302
    assert "30 judgements" in words(page_of(researcher, study))
    assert "Answered in two seconds." in shown(researcher, "ledger", study.code)
    assert "left out" in words(shown(researcher, "annotators", study.code))
    assert [row["n_annotators"] for row in numbers_of(researcher, study, "side-by-side")[:2]] == ["6", "5"]


def test_an_exclusion_is_taken_back_with_a_reason_and_the_ledger_keeps_both(researcher):
    study = closed(make_simulated_study(dialogues=12, annotators=6))
    person = study.annotators.first()
    decide(researcher, study, person, "exclude", "Too fast.")
    assert decide(researcher, study, person, "include", "").status_code == 400
    decide(researcher, study, person, "include", "The clock was wrong.")
    assert "36 judgements" in words(page_of(researcher, study))
    ledger = words(shown(researcher, "ledger", study.code))
    assert ledger.index("The clock was wrong.") < ledger.index("Too fast.")
    assert list(Event.objects.filter(study=study, verb__contains="annotator").values_list("verb", flat=True)) == [
        "include annotator",
        "exclude annotator",
    ]


@pytest.mark.parametrize("reason", ["x" * 301, "a\x00b"])
def test_reasons_of_any_shape_are_answered(researcher, reason):
    study = make_simulated_study(dialogues=4, annotators=4)
    person = study.annotators.first()
    response = decide(researcher, study, person, "exclude", reason)
    person.refresh_from_db()
    if len(reason) > 300:
        assert "The reason has 301 characters; say it in 300." in response.content.decode()
        assert person.excluded_at is None
    else:
        assert person.excluded_reason == "ab"


def test_leaving_somebody_out_twice_is_one_line_in_the_ledger(researcher):
    study = make_simulated_study(dialogues=4, annotators=4)
    person = study.annotators.first()
    for _ in range(2):
        decide(researcher, study, person, "exclude", "Too fast.")
    assert Event.objects.filter(study=study, verb="exclude annotator").count() == 1


def test_excluded_comparisons_stand_in_the_ledger_by_their_dialogue(researcher):
    study = make_simulated_study(dialogues=4, annotators=4)
    comparison = study.comparisons.first()
    studies.exclude_comparison(comparison, "Both say the same.", actor=None, now=study.launched_at)
    page = words(shown(researcher, "ledger", study.code))
    assert f"Exclude comparison {comparison.dialogue.external_id} Both say the same. the program" in page


def test_nobody_from_another_study_is_found_under_this_one(researcher):
    study, other = make_simulated_study(dialogues=4, annotators=4), build.make_running_study()
    stranger = build.make_annotator(other)
    assert researcher.get(reverse("annotator-judgements", args=[study.code, stranger.pk])).status_code == 404
    assert decide(researcher, study, stranger, "exclude", "No.").status_code == 404


def test_viewers_look_and_do_not_decide(client):
    study = make_simulated_study(dialogues=4, annotators=4)
    person = study.annotators.first()
    viewer = build.make_stranger(is_staff=True)
    viewer.user_permissions.add(*Permission.objects.filter(codename__in=["view_study", "change_study"]))
    pages = [("annotators", []), ("annotators-csv", []), ("ledger", []), ("annotator-judgements", [person.pk])]
    client.force_login(viewer)
    assert {client.get(reverse(name, args=[study.code, *args])).status_code for name, args in pages} == {403}
    Membership.objects.create(study=study, user=viewer, role=Role.VIEWER)
    assert {client.get(reverse(name, args=[study.code, *args])).status_code for name, args in pages} == {200}
    assert "Leave out of the results" not in shown(client, "annotator-judgements", study.code, person.pk)
    assert decide(client, study, person, "exclude", "No.").status_code == 403
    client.logout()
    assert decide(client, study, person, "exclude", "No.").status_code == 302
    person.refresh_from_db()
    assert person.excluded_at is None


def test_deciding_is_a_post_with_its_token(researcher, client):
    study = make_simulated_study(dialogues=4, annotators=4)
    person = study.annotators.first()
    assert researcher.get(reverse("annotator-exclude", args=[study.code, person.pk])).status_code == 405
    assert "csrfmiddlewaretoken" in shown(researcher, "annotator-judgements", study.code, person.pk)


def test_without_judgements_the_pages_say_so(researcher):
    study = build.make_running_study()
    person = build.make_annotator(study)
    assert "Nobody has judged yet." in shown(researcher, "annotators", study.code)
    assert "No judgements are kept" in shown(researcher, "annotator-judgements", study.code, person.pk)
    assert "Nothing was left out." in shown(researcher, "ledger", study.code)


def test_late_answers_are_marked_and_names_are_text(researcher):
    study = build.make_running_study(dialogues=1, k=1)
    person = build.make_annotator(study)
    build.judge(study.slots.get(), person, [Outcome.TIE] * 3, state=AssignmentState.SURPLUS)
    agent = study.matchups.get().treatment
    agent.name = "<script>alert(1)</script>"
    agent.save()
    page = shown(researcher, "annotator-judgements", study.code, person.pk)
    assert "too late, does not count" in page
    assert "<script>alert" not in page
