"""What must be said of an agent stands on every page of researchers that shows what the agent wrote."""

import pytest
from django.urls import reverse

from annotation.models import Augmenter, GenerationRun, GenerationUnit
from annotation.rehearsal.running import Outcome
from annotation.services.exports.judgements import judgements_csv
from annotation.states import Outcome as Answer
from tests import build

pytestmark = pytest.mark.django_db

NOTE = "demo augmenter, not Thanos"


@pytest.fixture
def study():
    """A running study whose treatment is guided by a stand-in."""
    study = build.make_running_study(dialogues=1, k=2)
    agent = study.matchups.get().treatment
    agent.augmenter = build.make_augmenter(note=NOTE)
    agent.save()
    comparison = study.comparisons.get()
    thought = build.make_skill_of_mind(comparison.dialogue)
    comparison.treatment_response.skill_of_mind = thought
    comparison.treatment_response.save()
    GenerationUnit.objects.create(
        run=GenerationRun.objects.create(study=study),
        stage="think",
        model=agent.augmenter.model,
        augmenter=agent.augmenter,
        dialogue=comparison.dialogue,
        settings_hash=thought.settings_hash,
        state="done",
    )
    return study


def addresses(study):
    comparison = study.comparisons.get()
    response = comparison.treatment_response
    rows = {
        "study": study,
        "comparison": comparison,
        "response": response,
        "skillofmind": response.skill_of_mind,
        "agent": study.matchups.get().treatment,
        "augmenter": study.matchups.get().treatment.augmenter,
    }
    for name, row in rows.items():
        yield reverse(f"admin:annotation_{name}_changelist")
        yield reverse(f"admin:annotation_{name}_change", args=[row.pk])
    yield reverse("admin:annotation_study_panel", args=[study.pk])
    for name in ("results", "monitor", "preview"):
        yield reverse(name, args=[study.code])
    yield reverse("preview", args=[study.code]) + "?comparison=1"


def test_every_page_that_shows_an_agents_work_says_it(client, study):
    client.force_login(build.make_researcher())
    silent = [address for address in addresses(study) if NOTE not in client.get(address).text]
    assert silent == []


def test_the_words_of_a_rehearsal_say_it(study, tmp_path):
    assert NOTE in str(Outcome(study, 24, 72, tmp_path / "judgements.csv", ()))


def test_agents_that_need_no_word_get_none(client, study):
    client.force_login(build.make_researcher())
    Augmenter.objects.update(note="", source="random")
    assert "agent-note" not in client.get(reverse("results", args=[study.code])).text


def test_a_stand_in_is_named_as_one_whatever_its_note_says(client, study):
    client.force_login(build.make_researcher())
    Augmenter.objects.update(note="Written by hand")
    build.judge(study.slots.get(ordinal=0), build.make_annotator(study), [Answer.TIE] * 3)
    silent = [address for address in addresses(study) if NOTE not in client.get(address).text]
    assert silent == []
    assert f"Written by hand; {NOTE}" in "".join(judgements_csv(study))


@pytest.mark.parametrize(
    "weights",
    [{"source": "passing2961/Thanos-8B"}, {"source": "/models/thanos-3b"}, {"options": {"lora": "me/Thanos-lora"}}],
)
def test_thanos_itself_is_not_called_a_stand_in(weights):
    assert build.make_augmenter(model=build.make_model(**weights)).notes == ""


def test_a_control_with_thoughts_of_another_model_than_thanos_says_so():
    assert build.make_augmenter(source="shuffled").notes == NOTE


def test_other_sources_of_guidance_do_not_claim_to_be_thanos():
    assert build.make_augmenter(source="doctor").notes == ""
