"""The life of a study: what stops a launch, what a launch makes, and what is allowed afterwards."""

from collections import Counter

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from annotation.models import Agent, Annotator, Comparison, Event, GenerationRun, Matchup, Response, Slot, Study
from annotation.platforms import Visitor
from annotation.services.annotators import AlreadyEnrolled, ConsentChanged, enrol, withdraw
from annotation.services.comparisons import attach_responses
from annotation.services.editing import StudyIsFrozen
from annotation.services.golds import mark_gold
from annotation.services.guide import standing
from annotation.services.places import NoPlaceLeft, StudyNotOpen
from annotation.services.reasons import NoReason
from annotation.services.rehearsals import NoRehearsal, RehearsalOfRehearsal, delete_rehearsal, make_rehearsal
from annotation.services.studies import (
    LaunchRefused,
    WrongState,
    capacity_warnings,
    close,
    exclude_comparison,
    find_unusable,
    include_comparison,
    is_unchanged,
    launch,
    pause,
    prepare_comparisons,
    release_comparison,
    resume,
    validate_study,
)
from annotation.states import Outcome, Side, StudyState
from tests.build import (
    make_collection,
    make_criteria,
    make_dialogue,
    make_matchup,
    make_researcher,
    make_response,
    make_running_study,
    make_study,
)

pytestmark = pytest.mark.django_db
NOW = timezone.now()


def make_ready_study(*, dialogues: int = 4, matchups: int = 1, **over) -> Study:
    """A draft with everything that a launch needs."""
    collection = make_collection()
    study = make_study(collections=[collection], **over)
    make_criteria(study)
    contexts = [make_dialogue(collection=collection, kind=f"kind {n % 2}") for n in range(dialogues)]
    for _ in range(matchups):
        matchup = make_matchup(study)
        for dialogue in contexts:
            make_response(dialogue, matchup.baseline)
            make_response(dialogue, matchup.treatment)
    prepare_comparisons(study)
    return study


def verbs(study: Study) -> list[str]:
    return list(Event.objects.filter(study=study).order_by("id").values_list("verb", flat=True))


def test_a_ready_study_has_no_problems():
    assert validate_study(make_ready_study()) == []


def test_an_empty_study_says_all_that_it_lacks():
    study = make_study(title=" ", consent_text="", judgements_per_comparison=0, reason_from_strength=2)
    assert validate_study(study) == [
        "Give the study a title that annotators see.",
        "Give the study a consent text.",
        "Ask for at least one judgement per comparison (k).",
        "Reasons are asked from strength 2 on; this scale ends at 1.",
        "Add at least one criterion.",
        "Add at least one matchup of two agents.",
        "Choose a collection with dialogues, then prepare the comparisons: there is none to judge.",
    ]


def test_the_database_refuses_a_matchup_of_an_agent_with_itself():
    matchup = make_matchup(make_study())
    with pytest.raises(IntegrityError, match="matchup_of_two_agents"), transaction.atomic():
        Matchup.objects.filter(pk=matchup.pk).update(treatment=matchup.baseline)


def test_a_matchup_the_other_way_round_is_reported():
    study = make_ready_study()
    matchup = study.matchups.get()
    make_matchup(study, baseline=matchup.treatment, treatment=matchup.baseline)
    assert any("the other way round" in sentence for sentence in validate_study(study))


@pytest.mark.parametrize("key", ["one-more", "sure", "active_ms", "blurs", "csrfmiddlewaretoken", "naturalness-reason"])
def test_a_criterion_may_not_take_a_field_of_the_rating_page(key):
    """Under such a key an answer and a check would be one group of buttons, and nobody could answer both."""
    study = make_ready_study()
    study.criteria.create(key=key, name="Tone", question="Which is calmer?", definition="It is calm.")
    (problem,) = validate_study(study)
    assert problem == f"Call the criterion {key} otherwise: the rating page uses that key itself."


@pytest.mark.parametrize(("language", "is_fair"), [("", True), ("de-AT", True), ("ar", True), ("fr", False)])
def test_checks_are_not_shown_in_a_language_that_the_pages_lack(language, is_fair):
    study = make_ready_study(check_every=4, language=language)
    assert [sentence[:19] for sentence in validate_study(study)] == ([] if is_fair else ["Checks of attention"])
    study.check_every = None
    assert validate_study(study) == []


def test_gold_may_not_expect_a_tie_that_the_scale_lacks():
    study = make_ready_study(dialogues=4, gold_every=4)
    mark_gold(study.comparisons.first(), Outcome.TIE, actor=None)
    assert validate_study(study) == []
    study.scale = "two"
    study.save()
    (problem,) = validate_study(study)
    assert "expects a tie" in problem


def test_capacity_counts_the_places_that_gold_and_repeats_take():
    study = make_ready_study(dialogues=4, annotators_limit=4, quota_per_annotator=4)
    needed = 4 * study.judgements_per_comparison
    assert needed <= 4 * 4
    assert capacity_warnings(study) == []
    study.gold_every, study.repeat_every = 4, 2
    (warning,) = capacity_warnings(study)
    assert warning.endswith("a quota of 4 give 4, for 3 of each quota are gold or repeated comparisons.")


def test_capacity_is_warned_about_but_does_not_stop_a_launch():
    study = make_ready_study(dialogues=4, annotators_limit=2, quota_per_annotator=2)
    assert len(capacity_warnings(study)) == 2
    assert validate_study(study) == []


def test_a_launch_makes_k_slots_for_each_comparison_with_balanced_sides():
    study = launch(make_ready_study(dialogues=5, matchups=2), actor=None, now=NOW)
    sides = Counter(study.slots.values_list("treatment_side", flat=True))
    assert study.state == StudyState.RUNNING
    assert Counter(study.slots.values_list("comparison_id", flat=True)) == Counter(
        dict.fromkeys(study.comparisons.values_list("pk", flat=True), 3)
    )
    assert sides == {Side.LEFT: 15, Side.RIGHT: 15}
    assert verbs(study) == ["launch"]


def test_a_launch_is_refused_with_every_reason_and_changes_nothing():
    study = make_study(consent_text="")
    with pytest.raises(LaunchRefused) as refused:
        launch(study, actor=None, now=NOW)
    study.refresh_from_db()
    assert len(refused.value.reasons) == 4
    assert study.state == StudyState.DRAFT
    assert not Slot.objects.exists()


def test_a_study_cannot_be_launched_twice():
    study = launch(make_ready_study(), actor=None, now=NOW)
    with pytest.raises(WrongState):
        launch(study, actor=None, now=NOW)


def test_a_launch_waits_for_every_response_unless_the_comparison_is_excluded():
    study = make_ready_study(dialogues=2)
    comparison = study.comparisons.first()
    Response.objects.filter(pk=comparison.treatment_response_id).update(is_current=False)
    with pytest.raises(LaunchRefused, match="1 of 2 comparisons lack two usable responses"):
        launch(study, actor=None, now=NOW)
    exclude_comparison(comparison, "The model never answered.", actor=None, now=NOW)
    launch(study, actor=None, now=NOW)
    assert not comparison.slots.exists()


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        ({"text": "  "}, "is empty"),
        ({"flags": ["truncated"]}, "is flagged: truncated"),
        ({"text": "The same."}, "say the same"),
    ],
)
def test_responses_that_people_should_not_see_are_found(broken, reason):
    study = make_ready_study(dialogues=1)
    Response.objects.update(text="the same")
    Response.objects.filter(pk=study.comparisons.get().treatment_response_id).update(**broken)
    (found,) = find_unusable(study)
    assert reason in found.reason


def test_notes_on_how_a_text_was_normalised_do_not_keep_it_from_people():
    study = make_ready_study()
    Response.objects.update(flags=["labelled"])
    assert find_unusable(study) == []


def test_a_released_comparison_is_shown_until_its_response_is_written_again():
    study = make_ready_study(dialogues=1)
    comparison = study.comparisons.get()
    Response.objects.filter(pk=comparison.baseline_response_id).update(flags=["over_length"])
    release_comparison(comparison, "Long, but sound.", actor=None, now=timezone.now())
    assert find_unusable(study) == []
    Response.objects.filter(pk=comparison.baseline_response_id).update(created_at=timezone.now())
    assert len(find_unusable(study)) == 1


def test_preparing_again_follows_the_settings_and_keeps_exclusions():
    study = make_ready_study(dialogues=6)
    excluded = study.comparisons.first()
    exclude_comparison(excluded, "Too private.", actor=None, now=NOW)
    Study.objects.filter(pk=study.pk).update(dialogues_limit=4)
    study.refresh_from_db()
    prepared = prepare_comparisons(study)
    assert (prepared.made, prepared.kept, prepared.removed) == (0, 4, 2)
    kinds = Counter(study.comparisons.values_list("dialogue__kind", flat=True))
    assert set(kinds.values()) == {2}


def test_a_launched_study_cannot_be_prepared_again():
    with pytest.raises(StudyIsFrozen):
        prepare_comparisons(launch(make_ready_study(), actor=None, now=NOW))


def test_the_hash_covers_what_annotators_see_and_nothing_else():
    study = launch(make_ready_study(), actor=None, now=NOW)
    Study.objects.filter(pk=study.pk).update(name="Another name", lease_minutes=5)
    Agent.objects.update(note="Nobody sees this.")
    study.refresh_from_db()
    assert is_unchanged(study)
    exclude_comparison(study.comparisons.first(), "Broken.", actor=None, now=NOW)
    assert is_unchanged(study)
    Response.objects.filter(pk=study.comparisons.first().treatment_response_id).update(text="Changed.")
    assert not is_unchanged(study)


def test_pause_resume_and_close_leave_a_trail_with_the_researcher():
    researcher = make_researcher()
    study = launch(make_ready_study(), actor=researcher, now=NOW)
    pause(study, actor=researcher)
    resume(study, actor=researcher)
    close(study, actor=researcher, now=NOW)
    assert verbs(study) == ["launch", "pause", "resume", "close"]
    assert set(study.events.values_list("actor", flat=True)) == {researcher.pk}
    with pytest.raises(WrongState, match="closed"):
        resume(study, actor=researcher)


def test_an_exclusion_needs_a_reason_closes_the_slots_and_can_be_taken_back():
    study = launch(make_ready_study(dialogues=2), actor=None, now=NOW)
    comparison = study.comparisons.first()
    with pytest.raises(NoReason):
        exclude_comparison(comparison, "  ", actor=None, now=NOW)
    exclude_comparison(comparison, "Names a real person.", actor=None, now=NOW)
    assert comparison.slots.filter(is_open=True).count() == 0
    include_comparison(comparison, actor=None)
    assert comparison.slots.filter(is_open=True).count() == 3
    assert verbs(study) == ["launch", "exclude comparison", "include comparison"]


def test_a_rehearsal_shares_responses_and_goes_as_a_whole():
    study = make_ready_study(dialogues=3)
    rehearsal = launch(make_rehearsal(study), actor=None, now=NOW)
    annotator = enrol(rehearsal, consent_version="1", now=NOW)
    assert rehearsal.is_rehearsal
    assert rehearsal.code != study.code
    assert set(rehearsal.comparisons.values_list("baseline_response_id", flat=True)) == set(
        study.comparisons.values_list("baseline_response_id", flat=True)
    )
    assert not set(rehearsal.comparisons.values_list("code", flat=True)) & set(
        study.comparisons.values_list("code", flat=True)
    )
    delete_rehearsal(rehearsal)
    assert list(Study.objects.all()) == [study]
    assert study.comparisons.count() == Comparison.objects.count() == 3
    assert not Annotator.objects.filter(pk=annotator.pk).exists()
    assert verbs(study) == ["make rehearsal", "delete rehearsal"]


def test_a_real_study_cannot_be_deleted_as_a_rehearsal():
    study = make_ready_study()
    with pytest.raises(NoRehearsal):
        delete_rehearsal(study)


def test_consent_to_another_version_is_refused():
    study = make_running_study(consent_version="2")
    with pytest.raises(ConsentChanged):
        enrol(study, consent_version="1", now=NOW)


def test_one_person_takes_part_once():
    study = make_running_study()
    enrol(study, consent_version="1", visitor=Visitor("prolific", "5f0c"), now=NOW)
    with pytest.raises(AlreadyEnrolled):
        enrol(study, consent_version="1", visitor=Visitor("prolific", "5f0c"), now=NOW)
    study.refresh_from_db()
    assert study.places_taken == 1


def test_places_are_limited_and_come_back():
    study = make_running_study(annotators_limit=1)
    first = enrol(study, consent_version="1", now=NOW)
    with pytest.raises(NoPlaceLeft):
        enrol(study, consent_version="1", now=NOW)
    withdraw(first.pk, now=NOW)
    enrol(study, consent_version="1", now=NOW)


def test_only_a_running_study_takes_people_in():
    with pytest.raises(StudyNotOpen):
        enrol(make_running_study(state=StudyState.PAUSED), consent_version="1", now=NOW)


def test_a_rehearsal_is_not_rehearsed_itself():
    with pytest.raises(RehearsalOfRehearsal, match="is a rehearsal itself"):
        make_rehearsal(make_rehearsal(make_ready_study()))


def write_again(comparison: Comparison) -> Response:
    Response.objects.filter(pk=comparison.baseline_response_id).update(is_current=False)
    return make_response(comparison.dialogue, comparison.matchup.baseline)


def test_a_launched_study_keeps_the_responses_with_which_it_was_launched():
    study = launch(make_ready_study(), actor=None, now=NOW)
    comparison = study.comparisons.first()
    write_again(comparison)
    with pytest.raises(StudyIsFrozen):
        attach_responses(study)
    assert study.comparisons.get(pk=comparison.pk).baseline_response_id == comparison.baseline_response_id
    assert is_unchanged(study)


def test_a_page_that_read_a_draft_changes_nothing_once_it_is_launched():
    study = make_ready_study()
    stale = Study.objects.get(pk=study.pk)
    GenerationRun.objects.create(study=study, state="done")
    launch(study, actor=None, now=NOW)
    comparison = study.comparisons.first()
    study.comparisons.filter(pk=comparison.pk).update(baseline_response=None)
    found = standing(stale, now=NOW)
    assert found.study.state == StudyState.RUNNING
    assert study.comparisons.get(pk=comparison.pk).baseline_response_id is None
