"""A study in the admin: from a new form to a launch, and what cannot be changed afterwards."""

import pytest
from django.contrib.messages import get_messages
from django.urls import reverse
from django.utils import timezone

from annotation.models import Assignment, Comparison, Criterion, Event, GenerationRun, Slot, Study
from annotation.services import comparisons, studies
from annotation.services.editing import StudyIsFrozen, save_study
from annotation.services.generation.endings import fail
from annotation.services.generation.tallies import Tallies
from annotation.states import RunState, StudyState
from tests import build
from tests.console.forms import fields_of

pytestmark = pytest.mark.django_db
ADD = "admin:annotation_study_add"


@pytest.fixture
def researcher(client):
    client.force_login(build.make_researcher())
    return client


def page_of(study):
    return reverse("admin:annotation_study_change", args=[study.pk])


def press(client, row, key, **fields):
    """Press a button and answer its question; return where it leads, and what the next page will say."""
    name = f"admin:annotation_{row._meta.model_name}_do"
    response = client.post(reverse(name, args=[row.pk, key]), fields)
    assert response.status_code == 302
    return response.url, " ".join(str(message) for message in get_messages(response.wsgi_request))


def said(pressed):
    return pressed[1]


def words(response):
    return response.content.decode()


def make_draft_with_responses(dialogues=2, **over):
    """A draft whose comparisons have usable responses of agents that need no worker."""
    collection = build.make_collection()
    study = build.make_study(collections=[collection], instructions="Read both.", **over)
    build.make_criteria(study)
    matchup = build.make_matchup(study)
    for _ in range(dialogues):
        dialogue = build.make_dialogue(collection=collection)
        for agent in (matchup.baseline, matchup.treatment):
            build.make_response(dialogue, agent)
    comparisons.prepare_comparisons(study)
    return study


def test_a_new_study_starts_with_the_usual_three_criteria(researcher):
    fields = fields_of(researcher.get(reverse(ADD)))
    fields |= {"name": "Pilot", "title": "Which is better?", "consent_text": "You may stop."}
    assert researcher.post(reverse(ADD), fields).status_code == 302
    keys = list(Study.objects.get(name="Pilot").criteria.values_list("key", flat=True))
    assert keys == ["naturalness", "engagingness", "prosociality"]


def test_criteria_of_a_new_study_can_be_left_out(researcher):
    fields = fields_of(researcher.get(reverse(ADD))) | {"name": "Pilot", "title": "Which is better?"}
    fields["criteria-2-DELETE"] = "on"
    researcher.post(reverse(ADD), fields)
    assert Study.objects.get(name="Pilot").criteria.count() == 2


def test_an_edit_is_written_into_the_trail(researcher):
    study = build.make_study()
    fields = fields_of(researcher.get(page_of(study))) | {"title": "Another title"}
    assert researcher.post(page_of(study), fields).status_code == 302
    event = Event.objects.get(study=study, verb="edited")
    assert event.detail == {"fields": ["title"]}
    assert event.actor is not None


def test_the_page_says_in_plain_words_what_is_missing_for_a_launch(researcher):
    study = build.make_study(consent_text="", collections=[])
    page = words(researcher.get(page_of(study)))
    assert "Give the study a consent text." in page
    assert "Add at least one criterion." in page
    assert "Add at least one matchup of two agents." in page


def test_a_matchup_of_an_agent_with_itself_is_refused_in_words(researcher):
    study, agent = build.make_study(), build.make_agent()
    fields = fields_of(researcher.get(page_of(study)))
    fields |= {"matchups-TOTAL_FORMS": 1, "matchups-0-baseline": agent.pk, "matchups-0-treatment": agent.pk}
    page = researcher.post(page_of(study), fields)
    assert page.status_code == 200
    assert "itself" in words(page)


def test_launch_asks_first_and_opens_the_study(researcher):
    study = make_draft_with_responses()
    question = researcher.get(reverse("admin:annotation_study_do", args=[study.pk, "launch"]))
    assert "This cannot be taken back" in words(question)
    study.refresh_from_db()
    assert study.state == StudyState.DRAFT
    press(researcher, study, "launch")
    study.refresh_from_db()
    assert study.state == StudyState.RUNNING
    assert reverse("annotator:landing", args=[study.code]) in words(researcher.get(page_of(study)))
    assert Event.objects.get(study=study, verb="launch").actor is not None


def test_a_launch_that_lacks_something_is_refused_with_the_reasons(researcher):
    study = make_draft_with_responses(consent_text="")
    assert "consent text" in words(researcher.get(reverse("admin:annotation_study_do", args=[study.pk, "launch"])))
    page = said(press(researcher, study, "launch"))
    assert "Give the study a consent text." in page
    study.refresh_from_db()
    assert study.state == StudyState.DRAFT


def test_pause_resume_and_close_go_through_their_states(researcher):
    study = make_draft_with_responses()
    press(researcher, study, "launch")
    for key, state in [("pause", "paused"), ("resume", "running"), ("close", "closed")]:
        press(researcher, study, key)
        study.refresh_from_db()
        assert study.state == state


def test_a_button_that_does_not_fit_any_more_says_so(researcher):
    study = make_draft_with_responses()
    page = said(press(researcher, study, "pause"))
    assert "does not fit any more" in page
    study.refresh_from_db()
    assert study.state == StudyState.DRAFT


def test_asking_changes_nothing(researcher):
    study = make_draft_with_responses()
    before = Event.objects.count()
    for key in ("generate", "launch", "rehearse", "copy", "write-again", "exclude-unusable"):
        assert researcher.get(reverse("admin:annotation_study_do", args=[study.pk, key])).status_code == 200
    assert (Event.objects.count(), Study.objects.count(), GenerationRun.objects.count()) == (before, 1, 0)


def test_a_frozen_study_ignores_changes_that_annotators_would_see(researcher):
    study = make_draft_with_responses()
    fields = fields_of(researcher.get(page_of(study)))
    press(researcher, study, "launch")
    fields |= {"title": "Another title", "criteria-0-question": "Another question?", "name": "Renamed"}
    researcher.post(page_of(study), fields)
    study.refresh_from_db()
    assert study.title != "Another title"
    assert not Criterion.objects.filter(question="Another question?").exists()
    assert study.name == "Renamed"
    assert studies.is_unchanged(study)


def test_the_service_refuses_what_the_form_would_let_through():
    study = build.make_running_study()
    study.title = "Another title"
    with pytest.raises(StudyIsFrozen, match="title"):
        save_study(study, actor=None)


def test_a_launched_study_cannot_be_deleted(researcher):
    study = build.make_running_study()
    assert (
        researcher.post(reverse("admin:annotation_study_delete", args=[study.pk]), {"post": "yes"}).status_code == 403
    )


def test_generating_prepares_comparisons_and_orders_what_is_missing(researcher):
    study = build.make_study()
    build.make_criteria(study)
    build.make_matchup(
        study,
        baseline=build.make_agent(prompt_set=build.make_prompt_set()),
        treatment=build.make_agent(prompt_set=build.make_prompt_set()),
    )
    build.make_dialogue(collection=study.collections.get())
    assert "1 comparisons prepared; 2 texts ordered" in said(press(researcher, study, "generate"))
    page = words(researcher.get(page_of(study)))
    assert "0 of 2" in page
    assert "Waits for a worker" in page


def test_responses_that_are_there_are_not_ordered_again(researcher):
    study = make_draft_with_responses()
    for matchup in study.matchups.all():
        for agent in (matchup.baseline, matchup.treatment):
            agent.responder = None
            agent.save()
    assert "every response is there already" in said(press(researcher, study, "generate"))


def test_unusable_comparisons_are_left_out_with_a_reason(researcher):
    study = make_draft_with_responses()
    flagged = study.comparisons.first()
    flagged.baseline_response.flags = ["truncated"]
    flagged.baseline_response.save()
    press(researcher, study, "exclude-unusable", reason="Cut off.")
    flagged.refresh_from_db()
    assert flagged.excluded_reason.startswith("Cut off. (")
    assert study.comparisons.filter(excluded_at=None).count() == 1


def test_nothing_is_left_out_without_a_reason(researcher):
    comparison = make_draft_with_responses().comparisons.first()
    page = said(press(researcher, comparison, "exclude", reason="  "))
    assert "Give a reason" in page
    comparison.refresh_from_db()
    assert comparison.excluded_at is None


def test_a_comparison_is_left_out_and_taken_in_again(researcher):
    comparison = make_draft_with_responses().comparisons.first()
    press(researcher, comparison, "exclude", reason="Same text.")
    comparison.refresh_from_db()
    assert comparison.excluded_reason == "Same text."
    press(researcher, comparison, "include")
    comparison.refresh_from_db()
    assert comparison.excluded_at is None


def test_a_rehearsal_is_made_and_deleted_with_one_button_each(researcher):
    study = make_draft_with_responses()
    press(researcher, study, "rehearse")
    rehearsal = Study.objects.get(rehearsal_of=study)
    press(researcher, rehearsal, "launch")
    build.judge(rehearsal.slots.first(), build.make_annotator(rehearsal), ["tie"] * 3)
    leads_to, _ = press(researcher, rehearsal, "delete-rehearsal")
    assert leads_to == page_of(study)
    assert not Study.objects.filter(rehearsal_of=study).exists()
    assert not Assignment.objects.exists()
    assert not Slot.objects.exists()
    assert Comparison.objects.filter(study=study).count() == 2


def test_a_copy_is_a_draft_with_the_same_questions(researcher):
    study = build.make_running_study()
    press(researcher, study, "copy")
    copy = Study.objects.exclude(pk=study.pk).get()
    assert (copy.state, copy.title, copy.name) == (StudyState.DRAFT, study.title, f"{study.name} (2)")
    assert copy.criteria.count() == 3
    assert copy.matchups.get().baseline == study.matchups.get().baseline
    assert not copy.comparisons.exists()


def test_the_panel_shows_how_far_generation_is_and_asks_again_meanwhile(researcher):
    study = build.make_study()
    run = GenerationRun.objects.create(study=study, state=RunState.RUNNING)
    run.tallies.create(stage="respond", model=build.make_model(), total=10, done=4, failed=1)
    panel = words(researcher.get(reverse("admin:annotation_study_panel", args=[study.pk])))
    assert "4 of 10, 1 failed" in panel
    assert "every 3s" in panel
    run.state = RunState.DONE
    run.save()
    assert "every 3s" not in words(researcher.get(reverse("admin:annotation_study_panel", args=[study.pk])))


def test_people_who_may_only_look_get_no_buttons_and_cannot_press_them(client):
    study = make_draft_with_responses()
    client.force_login(build.make_member(study))
    assert "Launch</a>" not in words(client.get(page_of(study)))
    assert client.post(reverse("admin:annotation_study_do", args=[study.pk, "launch"])).status_code == 403


def test_unknown_buttons_are_not_found(researcher):
    study = build.make_study()
    assert researcher.get(reverse("admin:annotation_study_do", args=[study.pk, "explode"])).status_code == 404


def test_an_annotator_is_left_out_of_the_results_with_a_reason(researcher):
    annotator = build.make_annotator(build.make_running_study())
    assert "Give a reason" in said(press(researcher, annotator, "exclude"))
    press(researcher, annotator, "exclude", reason="Answered in two seconds.")
    annotator.refresh_from_db()
    assert annotator.excluded_reason == "Answered in two seconds."
    assert Event.objects.filter(study=annotator.study, verb="exclude annotator").exists()
    press(researcher, annotator, "include")
    annotator.refresh_from_db()
    assert annotator.excluded_at is not None, "an exclusion is not taken back without a reason"
    press(researcher, annotator, "include", reason="The clock of that day was wrong.")
    annotator.refresh_from_db()
    assert annotator.excluded_at is None
    taken_back = Event.objects.get(study=annotator.study, verb="include annotator")
    assert taken_back.detail["reason"] == "The clock of that day was wrong."


def test_a_problem_report_is_dealt_with_once(researcher):
    study = build.make_running_study()
    annotator = build.make_annotator(study)
    build.judge(study.slots.first(), annotator, ["tie"] * 3)
    report = study.problem_reports.create(assignment=annotator.assignments.get(), text="Same text.")
    press(researcher, report, "resolve")
    report.refresh_from_db()
    assert report.resolved_at <= timezone.now()
    assert "does not fit" in said(press(researcher, report, "resolve"))


def test_failed_texts_are_queued_again_from_the_run(researcher):
    study = build.make_study()
    agent = build.make_agent(prompt_set=build.make_prompt_set())
    build.make_matchup(study, baseline=agent, treatment=build.make_agent(prompt_set=build.make_prompt_set()))
    build.make_dialogue(collection=study.collections.get())
    press(researcher, study, "generate")
    run, now = GenerationRun.objects.get(study=study), timezone.now()
    tallies = Tallies()
    fail(run.units.values_list("pk", flat=True), reason="The engine ran out of memory.", tallies=tallies, now=now)
    tallies.write(now=now)
    page = words(researcher.get(reverse("admin:annotation_generationrun_change", args=[run.pk])))
    assert "The engine ran out of memory." in page
    assert "2 texts are queued again" in said(press(researcher, run, "retry"))
    assert set(run.units.values_list("state", flat=True)) == {"queued"}


def test_a_draft_is_deleted_with_its_comparisons_runs_and_trail(researcher):
    study = make_draft_with_responses()
    GenerationRun.objects.create(study=study)
    Event.objects.create(study=study, verb="created")
    address = reverse("admin:annotation_study_delete", args=[study.pk])
    assert "Yes, I" in words(researcher.get(address))
    assert researcher.post(address, {"post": "yes"}).status_code == 302
    assert not Study.objects.exists()
    assert not Comparison.objects.exists()


def test_the_policy_of_the_admin_sends_forms_nowhere_else(researcher):
    policy = researcher.get(reverse("admin:index"))["Content-Security-Policy"]
    assert {"form-action 'self'", "base-uri 'none'", "object-src 'none'"} <= set(policy.split("; "))
