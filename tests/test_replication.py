"""The paper's study in one step, and what it says it still waits for."""

import io
import json

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from annotation.models import Agent, Collection, Study
from annotation.services import generation, studies
from annotation.services.editing import StudyIsFrozen
from annotation.services.prompts import store_prompts
from annotation.services.replication import NAME, UnknownResponder, replicate_paper
from annotation.states import StudyState
from tests.generation.test_prompt_files import FILE
from tests.test_public_data import ALL, daily, utterance, written

pytestmark = pytest.mark.django_db
TWO = ["llama-3-1-8b", "gemma-2-2b"]


@pytest.fixture
def folder(tmp_path):
    """Files of two of the sets, one of them with more dialogues than are taken."""
    rows = [daily(f"Is it {n}?", "It is.") for n in range(5)]
    (tmp_path / "daily-dialog.jsonl").write_text("\n".join(map(json.dumps, rows)))
    talk = [utterance(f"c{n}", place, f"turn {place}") for n in range(4) for place in (1, 2)]
    (tmp_path / "empathetic-dialogues.json").write_text(json.dumps(talk))
    return tmp_path


def replicate(**over):
    return replicate_paper(**({"responders": TWO, "first": 3, "now": timezone.now()} | over))


def test_one_step_makes_sets_agents_criteria_and_comparisons(folder):
    made = replicate(folder=folder)
    study = made.study
    assert (study.state, study.criteria.count(), study.dialogues_limit) == (StudyState.DRAFT, 3, 6)
    pairs = {(matchup.baseline.name, matchup.treatment.name) for matchup in study.matchups.all()}
    assert pairs == {
        ("Llama 3.1 8B Instruct alone", "Llama 3.1 8B Instruct with Thanos 8B"),
        ("Gemma 2 2B alone", "Gemma 2 2B with Thanos 8B"),
    }
    assert made.prepared.made == study.comparisons.count() == 2 * 6
    kinds = study.comparisons.values_list("dialogue__kind", "dialogue__external_id").distinct()
    assert sorted(kind for kind, _ in kinds) == ["daily-dialog"] * 3 + ["empathetic-dialogues"] * 3


def test_it_says_what_waits_for_data_wording_consent_and_workers(folder):
    waits = "\n".join(replicate(folder=folder).waits)
    for words in (
        "ProsocialDialog: not imported yet. Do so with manage.py import_dataset prosocial-dialog",
        "manage.py import_prompts PATH_OR_URL",
        "consent text",
        "python -m inference_worker --model thanos-8b",
        "python -m inference_worker --model gemma-2-2b",
    ):
        assert words in waits
    assert "DailyDialog" not in waits


def test_the_published_wording_is_used_once_it_is_there(folder):
    replicate(folder=folder)
    published, _ = store_prompts(FILE.encode(), source="a clone")
    made = replicate(folder=folder)
    assert not any("import_prompts" in sentence for sentence in made.waits)
    assert made.study.matchups.count() == 2
    for agent in generation.agents_of(made.study):
        assert agent.prompt_set == published
        assert agent.augmenter is None or agent.augmenter.prompt_set == published
    assert len(generation.start_run(made.study).units.values("settings_hash").distinct()) == 5


def test_giving_it_again_completes_the_draft_and_makes_nothing_twice(folder):
    first = replicate(folder=folder)
    agents = Agent.objects.count()
    written(folder, "jsonl", ALL["skill-of-mind"]).rename(folder / "skill-of-mind.jsonl")
    again = replicate(folder=folder)
    assert (again.study, Study.objects.count(), Agent.objects.count()) == (first.study, 1, agents)
    assert (again.prepared.made, again.prepared.kept) == (2, 12)
    assert replicate(folder=folder).prepared.made == 0


def test_every_set_and_every_responder_of_the_paper_takes_part(tmp_path):
    for name, rows in ALL.items():
        written(tmp_path, "jsonl", rows).rename(tmp_path / f"{name}.jsonl")
    made = replicate_paper(folder=tmp_path, now=timezone.now())
    kinds = made.study.comparisons.values_list("dialogue__kind", flat=True)
    assert set(kinds) == set(ALL)
    thanos = {matchup.treatment.augmenter.model.name for matchup in made.study.matchups.all()}
    assert thanos == {"Thanos 8B"}
    waits = "\n".join(made.waits)
    for family in ("llama-3-1", "llama-3-2", "gemma-2", "qwen-2-5", "phi-3", "mistral", "vicuna", "cosmo"):
        assert made.study.matchups.filter(baseline__responder__slug__startswith=family).exists()
        assert f"python -m inference_worker --model {family}" in waits


def test_one_think_result_serves_every_responder(folder):
    study = replicate(folder=folder).study
    run = generation.start_run(study)
    assert run.units.filter(stage="think").count() == 6
    assert run.units.filter(stage="respond").count() == 4 * 6


def test_a_launched_study_is_not_touched(folder):
    study = replicate(folder=folder).study
    Study.objects.filter(pk=study.pk).update(state=StudyState.RUNNING)
    with pytest.raises(StudyIsFrozen):
        replicate(folder=folder)
    assert studies.is_unchanged(study) is not None


def test_a_file_that_does_not_fit_is_said_and_stops_nothing(folder):
    (folder / "blended-skill-talk.jsonl").write_text('{"a": 1}')
    made = replicate(folder=folder)
    assert any(sentence.startswith("BlendedSkillTalk: Row 1 has no personas") for sentence in made.waits)
    assert Collection.objects.count() == 2


def test_a_responder_that_nobody_registered_is_named():
    with pytest.raises(UnknownResponder, match="no model “nobody”"):
        replicate(responders=["nobody"])
    assert not Study.objects.exists()


def test_the_command_prints_the_draft_and_what_it_waits_for(folder):
    out = io.StringIO()
    call_command("replicate_paper", "--folder", str(folder), "--first", "2", "--responder", TWO[0], stdout=out)
    assert f"“{NAME}” is a draft with 1 matchups and 4 comparisons." in out.getvalue()
    assert "It waits for:\n- ProsocialDialog" in out.getvalue()
    with pytest.raises(CommandError, match="no folder"):
        call_command("replicate_paper", "--folder", "/nowhere")
