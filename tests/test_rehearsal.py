"""A rehearsal through the real pages: what comes out is what the rule puts in, and it stays apart from real answers."""

import random

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from annotation.models import Criterion, Judgement, Matchup, Study
from annotation.rehearsal.annotator import PageRefused
from annotation.rehearsal.running import RehearsalFailed, rehearse
from annotation.services.comparisons import prepare_comparisons
from annotation.services.rehearsals import delete_rehearsal
from annotation.services.studies import launch
from annotation.states import Outcome, StudyState
from tests.build import make_agent, make_collection, make_dialogue, make_response, make_study

pytestmark = pytest.mark.django_db(transaction=True)

WORDS = sorted({"I", "you", "we", "think", "feel", "sorry", "great", "long", "week", "home", "work", "try"})


def make_rehearsable_study(*, dialogues=8, **over) -> Study:
    """A draft whose responses differ in length and words."""
    rng, collection = random.Random(3), make_collection()
    study = make_study(collections=[collection], **({"judgements_per_comparison": 3} | over))
    baseline, treatment = make_agent(), make_agent()
    Matchup.objects.create(study=study, baseline=baseline, treatment=treatment)
    for key, question in (("naturalness", "Which sounds more natural?"), ("engagingness", "Which would you answer?")):
        Criterion.objects.create(study=study, key=key, definition="It is so.", name=key.title(), question=question)
    for _ in range(dialogues):
        dialogue = make_dialogue(collection=collection)
        for agent in (baseline, treatment):
            make_response(dialogue, agent, text=" ".join(rng.choices(WORDS, k=rng.randint(4, 30))))
    prepare_comparisons(study)
    return study


@pytest.fixture
def study():
    return make_rehearsable_study()


def test_results_give_back_what_the_rule_puts_in(live_server, study, tmp_path):
    outcome = rehearse(study, annotators=6, address=live_server.url, folder=tmp_path)
    assert outcome.holds, str(outcome)
    assert outcome.judged == 8 * 3
    assert len(outcome.verdicts) == 2
    assert outcome.csv.read_text().count("\n") == 1 + 8 * 3 * 2
    assert "win score [95 %]" in str(outcome)


def test_rehearsal_is_marked_and_the_study_stays_a_draft_without_judgements(live_server, study, tmp_path):
    copy = rehearse(study, annotators=4, address=live_server.url, folder=tmp_path).study
    study.refresh_from_db()
    assert study.state == StudyState.DRAFT
    assert not Judgement.objects.filter(assignment__annotator__study=study).exists()
    assert copy.is_rehearsal
    assert all(copy.annotators.values_list("is_simulated", flat=True))
    assert set(copy.annotators.values_list("exit", flat=True)) == {"completed"}


def test_rehearsal_is_deleted_in_one_action(live_server, study, tmp_path):
    copy = rehearse(study, annotators=4, address=live_server.url, folder=tmp_path).study
    delete_rehearsal(copy)
    assert list(Study.objects.all()) == [study]
    assert not Judgement.objects.exists()


def test_answers_stored_on_the_wrong_side_make_the_rehearsal_fail(live_server, study, tmp_path, monkeypatch):
    turned = {Outcome.BASELINE: Outcome.TREATMENT, Outcome.TREATMENT: Outcome.BASELINE}
    monkeypatch.setattr("annotation.answers.winner", lambda grade: turned.get(_winner(grade), Outcome.TIE))
    outcome = rehearse(study, annotators=6, address=live_server.url, folder=tmp_path)
    assert not outcome.holds
    assert "MISSED" in str(outcome)


def _winner(grade):
    return Outcome.TREATMENT if grade > 0 else Outcome.BASELINE if grade < 0 else Outcome.TIE


@pytest.mark.parametrize("scale", ["two", "five", "seven"])
def test_other_scales_are_rehearsed_as_well(live_server, tmp_path, scale):
    study = make_rehearsable_study(dialogues=4, scale=scale)
    outcome = rehearse(study, annotators=4, address=live_server.url, folder=tmp_path)
    assert outcome.judged == 12
    assert outcome.holds, str(outcome)


def test_a_study_that_wants_reasons_is_rehearsed_as_well(live_server, tmp_path):
    study = make_rehearsable_study(dialogues=4, reason_from_strength=1)
    assert rehearse(study, annotators=4, address=live_server.url, folder=tmp_path).judged == 4 * 3
    assert Judgement.objects.exclude(reason="").exists()


def test_more_annotators_than_work_come_to_an_end(live_server, tmp_path):
    study = make_rehearsable_study(dialogues=2, judgements_per_comparison=1)
    assert rehearse(study, annotators=5, address=live_server.url, folder=tmp_path).judged == 2


def test_fewer_annotators_than_judgements_a_comparison_are_refused(live_server, study, tmp_path):
    with pytest.raises(RehearsalFailed, match="3 different people judge each comparison"):
        rehearse(study, annotators=2, address=live_server.url, folder=tmp_path)


def test_nobody_at_the_address_is_said(study, tmp_path):
    with pytest.raises(PageRefused, match="does not answer"):
        rehearse(study, annotators=3, address="http://127.0.0.1:9", folder=tmp_path)


def test_command_prints_results_and_file(live_server, study, tmp_path, capsys):
    study.name = "Kind replies"
    study.save()
    call_command("rehearse", "Kind replies", annotators=4, address=live_server.url, out=tmp_path)
    said = capsys.readouterr().out
    assert "Naturalness" in said
    assert str(tmp_path) in said


def test_command_says_which_study_it_does_not_know(study):
    with pytest.raises(CommandError, match="There is no study"):
        call_command("rehearse", "Another")


def test_a_running_study_can_be_rehearsed_beside_real_people(live_server, study, tmp_path):
    launch(study, actor=None, now=timezone.now())
    rehearse(study, annotators=4, address=live_server.url, folder=tmp_path)
    study.refresh_from_db()
    assert study.state == StudyState.RUNNING
    assert not study.annotators.exists()
