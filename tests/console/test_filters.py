"""Filters of the report: read from the address, written into everything, and never without the whole beside them."""

from dataclasses import replace

import pytest
from django.urls import reverse
from django.utils import timezone

from annotation.models import StoredReport
from annotation.reporting.filters import Filters, QualityLine
from annotation.results.load import load_table
from annotation.results.sample import prepare
from annotation.results.summary import analyse
from annotation.results.text import as_text
from annotation.services import exclusions, reports
from tests import build
from tests.console.simulated import make_simulated_study
from tests.console.test_figures import numbers_of
from tests.console.test_results_page import closed, page_of, words

pytestmark = pytest.mark.django_db


@pytest.fixture
def researcher(client):
    client.force_login(build.make_researcher())
    return client


def filtered(client, study, **query):
    response = client.get(reverse("results", args=[study.code]), query)
    assert response.status_code == 200
    return response.content.decode()


def test_kinds_leave_the_rest_out_and_stand_beside_all(researcher):
    study = closed(make_simulated_study(dialogues=24, annotators=8, kinds=4))
    page = filtered(researcher, study, kind=["empathy", "counselling"])
    said = words(page)
    assert "Filtered: only dialogues of the kinds counselling and empathy." in said
    assert "12 comparisons, 36 judgements for each criterion" in said
    beside = numbers_of(researcher, study, "side-by-side", kind="empathy")
    assert [(row["judgements_of"], row["n_items"]) for row in beside[:2]] == [("all", "24"), ("filtered", "6")]


def test_without_filters_and_exclusions_nothing_stands_beside(researcher):
    assert "Side by side" not in page_of(researcher, closed(make_simulated_study(dialogues=6, annotators=4)))


def test_a_quality_line_leaves_people_out_by_figures_and_names_them(researcher):
    study = closed(make_simulated_study(dialogues=40, annotators=8, kinds=2))
    page = words(filtered(researcher, study, hurried="20"))
    hurried = study.annotators.order_by("pk").last().pseudonym
    assert f"Below the line: {hurried}." in page
    report = reports.make_report(study, Filters(line=QualityLine(hurried=0.2)))
    assert report["settings"]["exclude_annotators"] == [hurried]
    assert report["settings"]["filters"] == ["only annotators with faster than reading at most 20\N{NO-BREAK SPACE}%"]
    assert report["data"]["excluded_annotators"] == {hurried: 45}
    assert not study.annotators.exclude(excluded_at=None).exists()


def test_agreement_among_people_chosen_for_agreeing_is_not_told(researcher):
    study = closed(make_simulated_study(dialogues=24, annotators=8))
    page = words(filtered(researcher, study, agreement="40"))
    assert "annotators were chosen by how well they agree" in page
    rows = numbers_of(researcher, study, "side-by-side", agreement="40")
    assert [bool(row["alpha_ordinal"]) for row in rows[:2]] == [True, False]


def test_days_are_filtered_in_the_report_and_in_what_is_downloaded(researcher):
    study = closed(make_simulated_study(dialogues=12, annotators=6))
    day = study.annotators.first().assignments.first().submitted_at.date().isoformat()
    row = numbers_of(researcher, study, "outcomes", since=day, until=day)[0]
    assert row["judgements"].startswith(f"Filtered: submitted from {day}; submitted until {day}")
    picture = researcher.get(reverse("figure-svg", args=[study.code, "outcomes"]), {"since": day}).getvalue().decode()
    assert f"Filtered: submitted from {day}" in picture
    assert "There are no results for these filters. No judgement is within these kinds and days." in words(
        filtered(researcher, study, since="2099-01-01")
    )


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"hurried": "a lot"}, "Faster than reading, at most: write a number from 0 to 100."),
        ({"agreement": "140"}, "less than or equal to 100"),
        ({"agreement": "nan"}, "Agreement with the others, at least:"),
        ({"since": "yesterday"}, "Judged from: Enter a valid date."),
        ({"since": "2026-03-02", "until": "2026-03-01"}, "2026-03-02 comes after 2026-03-01"),
        ({"kind": "nonsense"}, "Kinds of dialogue: Select a valid choice"),
    ],
)
def test_what_cannot_be_read_is_said_and_filters_nothing(researcher, query, sentence):
    study = closed(make_simulated_study(dialogues=6, annotators=4))
    page = words(filtered(researcher, study, **query))
    assert sentence in page
    assert "Nothing is filtered until this is mended." in page
    assert "6 comparisons, 18 judgements" in page


def test_an_exclusion_stands_beside_the_figures_of_everybody(researcher):
    study = closed(make_simulated_study(dialogues=20, annotators=10))
    left_out = study.annotators.order_by("pk").last()
    exclusions.exclude_annotator(left_out, "Always left; hurried.", actor=None, now=timezone.now())
    rows = numbers_of(researcher, study, "side-by-side")
    assert [(row["judgements_of"], row["n_annotators"]) for row in rows[:2]] == [
        ("all annotators", "10"),
        ("without excluded", "9"),
    ]
    report = reports.make_report(study)
    assert report["data"]["excluded_reasons"] == {"annotator: Always left; hurried.": 18}
    three = numbers_of(researcher, study, "side-by-side", kind="empathy")
    assert [row["judgements_of"] for row in three[:3]] == ["all annotators", "without excluded", "filtered"]


def test_filters_survive_a_message_and_name_their_report():
    filters = Filters(kinds=("empathy",), since="2026-01-01", line=QualityLine(modal=0.9))
    assert Filters.from_json(filters.to_json()) == filters
    assert filters.sha256 != Filters().sha256
    assert Filters().words == ()


def test_the_printed_report_says_what_it_is_of():
    study = closed(make_simulated_study(dialogues=4, annotators=4))
    filters = Filters(since="2026-01-01", line=QualityLine(modal=0.9))
    settings = replace(reports.settings_of(study), filters=filters.words)
    printed = as_text(analyse(prepare(load_table(study)), settings)).replace("\N{NO-BREAK SPACE}", " ")
    assert "Filtered: only annotators with the same answer at most 90 %; submitted from 2026-01-01." in printed


def test_people_who_lack_a_figure_are_not_below_the_line():
    line = QualityLine(agreement=0.5, gold=0.6, hurried=0.1)
    nothing = {"annotator": "x", "agreement": None, "gold": None, "modal_share": 0.4, "below_reading_share": None}
    assert line.below([nothing]) == ()
    assert line.below([nothing | {"gold": {"low": 0.59}}]) == ("x",)


def test_only_the_newest_filtered_reports_are_kept(monkeypatch):
    monkeypatch.setattr(reports, "FILTERED_KEPT", 2)
    study = closed(make_simulated_study(dialogues=4, annotators=4))
    reports.show(study, now=timezone.now())
    for day in range(1, 5):
        reports.compute(study, Filters(until=f"2099-01-{day:02}"), now=timezone.now())
    assert StoredReport.objects.filter(study=study).count() == 3
    assert reports.show_stored(study, reports.NO_FILTERS).is_current
