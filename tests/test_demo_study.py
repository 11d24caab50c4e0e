"""The demo study: made once, launched only over usable responses."""

import pytest
from django.utils import timezone

from annotation.models import Agent, Response, Study
from annotation.services.demo import (
    DIALOGUES,
    KEPT_AT_LEAST,
    NAME,
    DemoFailed,
    demo_study,
    launch_demo,
    order_again,
    order_responses,
)
from annotation.services.registry import DEMO_BASELINE, DEMO_TREATMENT
from annotation.states import RunState, StudyState
from tests.build import make_response

pytestmark = pytest.mark.django_db


def write_responses(study: Study, *, empty: int = 0) -> None:
    """Answer every comparison; the baseline says nothing in the first `empty` of them."""
    baseline, treatment = Agent.objects.get(name=DEMO_BASELINE), Agent.objects.get(name=DEMO_TREATMENT)
    for place, comparison in enumerate(study.comparisons.select_related("dialogue").order_by("pk")):
        said = {"text": "", "flags": ["empty"]} if place < empty else {}
        make_response(comparison.dialogue, baseline, **said)
        make_response(comparison.dialogue, treatment)


def test_demo_study_is_made_once_and_without_any_response():
    study = demo_study()
    assert demo_study() == study
    assert study.comparisons.count() == DIALOGUES == 24
    assert study.judgements_per_comparison == 3
    assert len(set(study.comparisons.values_list("dialogue__kind", flat=True))) >= 6
    assert not Response.objects.exists()


def test_models_of_the_demo_think_and_answer_briefly():
    demo_study()
    agent = Agent.objects.get(name=DEMO_TREATMENT)
    assert agent.augmenter.max_new_tokens <= 40
    assert agent.max_new_tokens <= 48


def test_researchers_read_that_the_augmenter_is_not_thanos_and_annotators_never_read_its_name():
    study = demo_study()
    assert "demo augmenter, not Thanos" in Agent.objects.get(name=DEMO_TREATMENT).note
    shown = " ".join([study.title, study.instructions, study.consent_text, study.guidelines])
    assert not {"augmenter", "SmolLM2", "Thanos"} & set(shown.split())


def test_responses_are_ordered_once():
    study = demo_study()
    run = order_responses(study, now=timezone.now())
    assert order_responses(study, now=timezone.now()) == run
    assert run.state == RunState.RUNNING


def test_demo_is_launched_whole_when_all_responses_are_usable():
    study = demo_study()
    write_responses(study)
    assert order_again(study, rethink=False, now=timezone.now()) == []
    assert launch_demo(study, now=timezone.now()) == 0
    study.refresh_from_db()
    assert study.state == StudyState.RUNNING
    assert study.slots.count() == 24 * 3


def test_unusable_responses_are_ordered_again():
    study = demo_study()
    write_responses(study, empty=3)
    (run,) = order_again(study, rethink=False, now=timezone.now())
    assert run.units.filter(stage="respond").count() == 3


def test_what_stays_unusable_is_excluded_with_its_reason():
    study = demo_study()
    write_responses(study, empty=4)
    assert launch_demo(study, now=timezone.now()) == 4
    excluded = study.comparisons.exclude(excluded_at=None)
    assert {comparison.excluded_reason for comparison in excluded} == {
        f"Still unusable after it was written three times: The response of {DEMO_BASELINE} is empty."
    }
    assert study.slots.count() == 20 * 3


def test_a_demo_of_too_few_dialogues_is_not_opened():
    study = demo_study()
    write_responses(study, empty=DIALOGUES - KEPT_AT_LEAST + 1)
    with pytest.raises(DemoFailed, match="Only 19 of 24 dialogues have two usable responses; the demo needs 20"):
        launch_demo(study, now=timezone.now())
    assert Study.objects.get(name=NAME).state == StudyState.DRAFT
