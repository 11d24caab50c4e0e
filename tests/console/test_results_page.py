"""The results page: the answer, where its figures come from, who may see it, and what it says too early."""

import json
import re

import pytest
from django.urls import reverse
from django.utils import timezone

from annotation.models import StoredReport
from annotation.results.__main__ import main
from annotation.results.load import STRATA
from annotation.services import reports, studies
from annotation.services.exports.files import write_files
from annotation.states import Outcome
from tests import build
from tests.console.judging import make_judged_study

pytestmark = pytest.mark.django_db


@pytest.fixture
def researcher(client):
    client.force_login(build.make_researcher())
    return client


def page_of(client, study, **extra):
    response = client.get(reverse("results", args=[study.code]), **extra)
    assert response.status_code == 200
    return response.content.decode()


def closed(study):
    return studies.close(study, actor=None, now=timezone.now())


def words(page):
    """What a person reads: no markup, single blanks."""
    return " ".join(re.sub(r"<[^>]+>", " ", page).replace("\N{NO-BREAK SPACE}", " ").split())


def test_a_closed_study_is_answered_in_a_sentence_with_its_interval(researcher):
    study = closed(make_judged_study(pull=0.8))
    treatment = study.matchups.get().treatment.name
    page = words(page_of(researcher, study))
    assert re.search(
        rf"On naturalness people prefer {treatment} : \d+ % win score, 95 % between \d+ and \d+, 24 comparisons, "
        r"8 annotators; on engagingness the study cannot tell which is preferred \(\d+ %, \d+ to \d+\); "
        r"on prosociality neither \(\d+ %, \d+ to \d+\); the difference holds after correction\.",
        page,
    )
    assert "24 comparisons, 72 judgements for each criterion, 8 annotators." in page
    assert "Holm" in page


def test_a_winning_baseline_is_named_with_its_own_score(researcher):
    study = closed(make_judged_study(pull=-0.8))
    page = words(page_of(researcher, study))
    score = re.search(rf"On naturalness people prefer {study.matchups.get().baseline.name} : (\d+) % win score", page)
    assert score
    assert int(score[1]) > 50


def test_the_page_and_an_analysis_of_the_exported_file_have_the_same_figures(tmp_path):
    study = closed(make_judged_study())
    (file,) = (path for path in write_files(study, tmp_path) if path.name.endswith("judgements.csv"))
    strata = [argument for name in STRATA for argument in ("--by", name)]
    main([str(file), "--json", str(tmp_path / "report.json"), "--seed", str(study.seed), *strata])
    ours = json.loads(json.dumps(reports.make_report(study)))
    theirs = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    for part in ("criteria", "strata", "annotators", "family", "data"):
        assert ours[part] == theirs[part]


def test_a_running_study_shows_its_band_and_no_p_value(researcher):
    page = page_of(researcher, make_judged_study())
    assert "Band, not the final interval" in page
    assert "95 % band" in words(page)
    assert "95 % band between" in words(page).split("SVG")[0]
    assert "a heuristic" in page
    assert "p, corrected" not in page
    assert "after every comparison" in page


def test_before_twenty_comparisons_a_running_study_says_that_it_is_too_early(researcher):
    page = words(page_of(researcher, make_judged_study(dialogues=10)))
    assert "Too early to tell: the band starts at 20 finished comparisons by 5 annotators; there are 10 by 8." in page
    assert not re.search(r"\d+ to \d+ ", page.split("Win, tie, loss")[1].split("Agreement")[0])


def test_closing_a_study_changes_the_band_to_the_interval(researcher):
    study = make_judged_study()
    assert "95 % band" in words(page_of(researcher, study))
    page = words(page_of(researcher, closed(study)))
    assert "95 % band" not in page
    assert "95 % interval" in page


def test_without_judgements_the_page_says_so(researcher):
    page = words(page_of(researcher, build.make_running_study()))
    assert "There are no results yet. Nobody has judged a comparison yet." in page
    assert "There are no results yet" in page_of(researcher, build.make_study())


def test_one_annotator_makes_the_interval_not_estimable_with_a_reason(researcher):
    page = words(page_of(researcher, closed(make_judged_study(dialogues=6, k=1, annotators=1))))
    assert "what people prefer is not estimable from one annotator, whose answers give" in page
    assert "intervals for new dialogues and this one annotator" in page


def test_agents_with_a_note_are_shown_with_it(researcher):
    study = make_judged_study()
    agent = study.matchups.get().treatment
    agent.augmenter = build.make_augmenter(note="demo augmenter, not Thanos")
    agent.save()
    assert f"{agent.name}: demo augmenter, not Thanos." in words(page_of(researcher, study))


def test_a_rehearsal_is_marked_and_does_not_count_for_its_study(researcher):
    study = make_judged_study()
    rehearsal = make_judged_study(rehearsal_of=study)
    assert "Rehearsal: not people" in page_of(researcher, rehearsal)
    assert "Rehearsal" not in page_of(researcher, study)
    assert reports.make_report(study)["data"]["rows"] == 24 * 3 * 3


def test_a_new_judgement_is_in_the_page_at_the_next_look(researcher):
    study = make_judged_study(dialogues=20)
    page_of(researcher, study)
    matchup = study.matchups.get()
    comparison = build.make_comparison(matchup, build.make_dialogue(), k=1)
    build.judge(comparison.slots.get(), study.annotators.first(), [Outcome.TIE] * 3)
    assert "21 comparisons, 61 judgements" in words(page_of(researcher, study))


def test_an_exclusion_takes_judgements_out_of_the_page(researcher):
    study = make_judged_study(dialogues=21)
    page_of(researcher, study)
    studies.exclude_comparison(study.comparisons.first(), "Same text.", actor=None, now=timezone.now())
    assert "20 comparisons, 60 judgements" in words(page_of(researcher, study))


def test_an_unchanged_study_is_computed_once(researcher):
    study = make_judged_study()
    page_of(researcher, study)
    first = StoredReport.objects.get(study=study).computed_at
    page_of(researcher, study)
    assert StoredReport.objects.get(study=study).computed_at == first


def test_a_large_study_shows_the_last_report_while_the_worker_makes_the_next(researcher, settings):
    study = make_judged_study()
    settings.REPORT_COMPUTED_AT_ONCE = 10
    assert "is being computed" in page_of(researcher, study)
    reports.compute(study, now=timezone.now())
    assert "is being computed" not in page_of(researcher, study)
    build.make_annotator(study, excluded_reason="Too fast.", excluded_at=timezone.now())
    page = page_of(researcher, study)
    assert "a newer report is being computed" in page
    assert "72 judgements" in words(page)


def test_every_plot_has_a_table_and_no_style_of_its_own(researcher):
    page = page_of(researcher, closed(make_judged_study()))
    assert page.count("<svg") == page.count('aria-hidden="true" focusable="false"')
    assert " style=" not in page
    assert "<style" not in page
    assert page.count("<summary>Table</summary>") >= 3


def test_numbers_in_plots_keep_their_points_in_every_language(researcher):
    page = page_of(researcher, closed(make_judged_study()), HTTP_ACCEPT_LANGUAGE="de")
    assert re.search(r'x1="\d+\.\d"', page)
    assert not re.search(r'="\d+,\d', page)


def test_whoever_is_signed_out_or_may_not_look_sees_nothing(client):
    study = make_judged_study(dialogues=2)
    assert client.get(reverse("results", args=[study.code])).status_code == 302
    client.force_login(build.make_stranger(is_staff=True))
    assert client.get(reverse("results", args=[study.code])).status_code == 403


def test_names_of_agents_are_shown_as_text(researcher):
    study = make_judged_study(dialogues=4)
    agent = study.matchups.get().treatment
    agent.name = "<script>alert(1)</script>"
    agent.save()
    assert "<script>alert" not in page_of(researcher, study)
