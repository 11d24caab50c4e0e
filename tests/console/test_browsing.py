"""Comparisons side by side: what the page shows, what each filter finds, and that decisions come back to it."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from annotation.errors import DuologueError
from annotation.models import Event, GenerationUnit, Response
from annotation.roles import Role
from annotation.services import studies
from annotation.services.browsing import Filters, find, flags_of, offers, place_of
from annotation.services.comparisons import find_unusable
from annotation.services.writing_again import written_here
from annotation.states import StudyState
from tests import build

pytestmark = pytest.mark.django_db


@pytest.fixture
def study():
    """Five comparisons: fine, flagged, the same on both sides, without a response, left out."""
    study = build.make_study(name="Guided or not")
    prompts = build.make_prompt_set(name="Own words")
    both = {"prompt_set": prompts}
    matchup = build.make_matchup(study, baseline=build.make_agent(**both), treatment=build.make_agent(**both))
    collection = study.collections.get()

    def compare(kind, baseline="I see.", treatment="Tell me more.", skill="", flags=(), **over):
        dialogue = build.make_dialogue(
            collection=collection, kind=kind, external_id=f"{kind}-{Response.objects.count()}"
        )
        thought = build.make_skill_of_mind(dialogue, skill=skill) if skill else None
        build.make_response(dialogue, matchup.baseline, text=baseline)
        if treatment is not None:
            fields = {
                "text": treatment,
                "flags": list(flags),
                "skill_of_mind": thought,
                "raw_text": f"Ana: {treatment}",
            }
            build.make_response(dialogue, matchup.treatment, **fields)

    compare("grief", skill="Empathy", flags=["labelled"])
    compare("grief", treatment="As Active Listening says", skill="Rhetoric", flags=["skill_leak"])
    compare("smalltalk", baseline="Yes, of course!", treatment="yes of course", skill="Empathy")
    compare("smalltalk", treatment=None)
    compare("smalltalk", treatment="<b>Bold</b> words.", flags=["truncated"])
    studies.prepare_comparisons(study)
    last = study.comparisons.order_by("pk").last()
    studies.exclude_comparison(last, "Too short.", actor=None, now=timezone.now())
    return study


@pytest.fixture
def researcher(client):
    client.force_login(build.make_researcher())
    return client


def page_of(study, **query):
    return reverse("admin:annotation_comparison_browse", args=[study.pk], query=query or None)


def numbers(study, **filters):
    """Which of the five a filter finds, counted from 1."""
    order = list(study.comparisons.order_by("pk").values_list("pk", flat=True))
    return [order.index(each.pk) + 1 for each in find(study, Filters(**filters))]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, [1, 2, 3, 4, 5]),
        ({"kind": "grief"}, [1, 2]),
        ({"skill": "Empathy"}, [1, 3]),
        ({"skill": "Empathy", "kind": "grief"}, [1]),
        ({"flag": "labelled"}, [1]),
        ({"flag": "truncated"}, [5]),
        ({"flag": "same_as_other"}, [3]),
        ({"flag": "no such"}, []),
        ({"state": "held"}, [2, 3]),
        ({"state": "missing"}, [4]),
        ({"state": "excluded"}, [5]),
        ({"state": "fine"}, [1]),
        ({"q": "ACTIVE listening"}, [2]),
        ({"q": "smalltalk-"}, [3, 4, 5]),
        ({"matchup": "999999"}, []),
    ],
)
def test_each_filter_finds_what_it_says(study, filters, expected):
    assert numbers(study, **filters) == expected


def test_a_released_comparison_is_held_back_again_once_a_response_is_newer(study):
    second = study.comparisons.order_by("pk")[1]
    studies.release_comparison(second, "People may judge that.", actor=None, now=timezone.now())
    assert (numbers(study, state="held"), numbers(study, state="released")) == ([3], [2])
    Response.objects.filter(pk=second.treatment_response_id).update(created_at=timezone.now())
    assert (numbers(study, state="held"), numbers(study, state="released")) == ([2, 3], [])


def test_held_back_and_missing_are_exactly_what_a_launch_refuses(study):
    refused = sorted(unusable.comparison.pk for unusable in find_unusable(study))
    found = [*find(study, Filters(state="held")), *find(study, Filters(state="missing"))]
    assert sorted(each.pk for each in found) == refused


def test_the_filters_offer_what_there_is_with_counts(study):
    found = offers(study)
    assert found.kinds == (("grief", 2), ("smalltalk", 3))
    assert found.skills == (("Empathy", 2), ("Rhetoric", 1))
    assert dict(found.flags) == {"labelled": 1, "skill_leak": 1, "truncated": 1, "same_as_other": 1}


def test_walking_on_and_back_meets_every_comparison_once(study):
    found = find(study, Filters())
    place, met = place_of(found, None), []
    while place:
        met.append(place.number)
        place = place_of(found, place.after) if place.after else None
    assert met == [1, 2, 3, 4, 5]
    last = place_of(found, 10**9)
    assert (last.number, last.after) == (5, None)
    assert place_of(found, last.before).number == 4


def test_the_same_words_are_a_flag_of_both_sides(study):
    third = study.comparisons.order_by("pk")[2]
    assert flags_of(third, third.baseline_response) == ["same_as_other"]


def test_the_page_shows_dialogue_guidance_both_answers_flags_and_where_they_came_from(study, researcher):
    page = researcher.get(page_of(study)).content.decode()
    for words in (
        "I failed my exam today.",
        "I see.",
        "Tell me more.",
        "Empathy",
        "Ana is sad.",
        "Own words",
        "1</b> of 5",
    ):
        assert words in page
    assert "The speaker&#x27;s name in front was taken off." in page
    assert "Ana: Tell me more." in page


def test_what_models_wrote_is_escaped(study, researcher):
    page = researcher.get(page_of(study, flag="truncated")).content.decode()
    assert "&lt;b&gt;Bold&lt;/b&gt; words." in page
    assert "<b>Bold</b>" not in page


def test_links_lead_to_the_neighbours_under_the_same_filters(study, researcher):
    page = researcher.get(page_of(study, skill="Empathy")).content.decode()
    (following,) = re.findall(r'href="([^"]+)" rel="next"', page)
    assert 'rel="prev"' not in page
    shown = researcher.get(following.replace("&amp;", "&")).content.decode()
    assert "yes of course" in shown
    assert "2</b> of 2" in shown


def test_a_study_that_was_generated_meanwhile_shows_the_new_texts(study, researcher):
    fourth = study.comparisons.order_by("pk")[3]
    build.make_response(fourth.dialogue, fourth.matchup.treatment, text="Here at last.")
    assert "Here at last." in researcher.get(page_of(study, q="Here at last")).content.decode()


def test_a_launched_study_keeps_what_it_shows(study, researcher):
    type(study).objects.filter(pk=study.pk).update(state=StudyState.RUNNING)
    first = study.comparisons.order_by("pk").first()
    Response.objects.filter(pk=first.treatment_response_id).update(is_current=False)
    build.make_response(first.dialogue, first.matchup.treatment, text="Newer.")
    page = researcher.get(page_of(study)).content.decode()
    assert "Tell me more." in page
    assert "Newer." not in page


def test_a_decision_with_its_reason_leads_back_to_the_page(study, researcher):
    page = researcher.get(page_of(study, flag="skill_leak")).content.decode()
    (button,) = re.findall(r'href="([^"]+/do/release/[^"]+)"', page)
    address = button.replace("&amp;", "&")
    assert f'href="{page_of(study)}?flag=skill_leak&amp;at=' in researcher.get(address).content.decode()
    done = researcher.post(address, {"reason": "People may judge that."})
    assert done.url.startswith(page_of(study))
    assert "Shown all the same: People may judge that." in researcher.get(done.url).content.decode()
    assert Event.objects.get(verb="release comparison").detail["reason"] == "People may judge that."


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example/", "//evil.example/admin/", "/s/1/", "javascript:alert(1)"]
)
def test_no_decision_leads_away_from_the_admin(study, researcher, elsewhere):
    comparison = study.comparisons.order_by("pk").first()
    address = reverse("admin:annotation_comparison_do", args=[comparison.pk, "exclude"], query={"next": elsewhere})
    assert elsewhere not in researcher.get(address).content.decode()
    assert researcher.post(address, {"reason": "No."}).url.endswith(f"/comparison/{comparison.pk}/change/")


@pytest.mark.parametrize("lack", ["no words", "no response"])
def test_what_nobody_could_read_is_not_released(study, researcher, lack):
    comparison = study.comparisons.order_by("pk").first()
    Response.objects.filter(pk=comparison.treatment_response_id).update(text=" ", flags=["empty"])
    if lack == "no response":
        study.comparisons.filter(pk=comparison.pk).update(treatment_response=None)
    page = researcher.get(page_of(study, at=comparison.pk)).content.decode()
    assert "Held back from annotators" in page
    assert "Show it all the same" not in page
    assert "Use for training" not in page
    comparison.refresh_from_db()
    with pytest.raises(DuologueError, match="Nobody can judge that"):
        studies.release_comparison(comparison, "Silence is golden.", actor=None, now=timezone.now())
    comparison.refresh_from_db()
    assert comparison.released_at is None


def test_a_fine_response_is_not_written_again_because_the_other_one_is_missing(study, researcher):
    lacking = study.comparisons.order_by("pk")[3]
    assert written_here(lacking) == []
    assert "Write again" not in researcher.get(page_of(study, at=lacking.pk)).content.decode()


def test_the_ledger_names_what_was_found_in_a_response_that_is_shown_all_the_same(study, researcher):
    second = study.comparisons.order_by("pk")[1]
    researcher.post(
        reverse("admin:annotation_comparison_do", args=[second.pk, "release"]), {"reason": "Harmless here."}
    )
    ledger = researcher.get(f"/studies/{study.code}/ledger/").content.decode()
    assert "Harmless here." in ledger
    assert f"{second.treatment_response.agent}: skill_leak" in ledger


def test_writing_again_takes_the_flagged_side_and_leaves_a_reason(study, researcher):
    templates = {role: {"system": "", "user": "{dialogue}"} for role in ("baseline", "both")}
    agent = study.matchups.get().treatment
    type(agent).objects.filter(pk=agent.pk).update(prompt_set=build.make_prompt_set(templates=templates))
    second = study.comparisons.order_by("pk")[1]
    address = reverse("admin:annotation_comparison_do", args=[second.pk, "regenerate"])
    researcher.post(address, {"reason": " "})
    assert not GenerationUnit.objects.exists()
    researcher.post(address, {"reason": "It talks of skills."})
    (unit,) = GenerationUnit.objects.all()
    assert (unit.agent, unit.dialogue_id) == (agent, second.dialogue_id)
    detail = Event.objects.get(verb="regenerate").detail
    assert (detail["reason"], detail["responses"][0]["flags"]) == ("It talks of skills.", ["skill_leak"])


def test_writing_one_response_again_stands_in_the_trail_of_each_study_that_compares_it(study, researcher):
    comparison = study.comparisons.order_by("pk").first()
    response = comparison.treatment_response
    templates = {role: {"system": "", "user": "{dialogue}"} for role in ("baseline", "both")}
    type(response.agent).objects.filter(pk=response.agent_id).update(
        prompt_set=build.make_prompt_set(templates=templates)
    )
    address = reverse("admin:annotation_response_do", args=[response.pk, "regenerate"])
    researcher.post(address, {"reason": " "})
    assert not GenerationUnit.objects.exists()
    researcher.post(address, {"reason": "It ends too soon."})
    assert GenerationUnit.objects.get().dialogue_id == response.dialogue_id
    event = Event.objects.get(verb="regenerate")
    assert (event.study, event.detail["response"]) == (study, response.pk)
    assert event.detail["reason"] == "It ends too soon."
    ledger = researcher.get(f"/studies/{study.code}/ledger/").content.decode()
    assert "It ends too soon." in ledger
    assert response.dialogue.external_id in ledger
    assert f"{response.agent}: labelled" in ledger
    assert event.actor is not None


@pytest.mark.parametrize(("role", "status"), [(None, 403), (Role.VIEWER, 403), (Role.RESEARCHER, 200)])
def test_whoever_only_looks_at_a_draft_cannot_have_its_responses_written_again(study, client, role, status):
    response = study.comparisons.order_by("pk").first().treatment_response
    client.force_login(build.make_member(study if role else None, role))
    address = reverse("admin:annotation_response_do", args=[response.pk, "regenerate"])
    assert client.get(address).status_code == status
    if status == 403:
        assert client.post(address).status_code == 403
        assert not GenerationUnit.objects.exists()
        page = client.get(reverse("admin:annotation_response_change", args=[response.pk])).content.decode()
        assert "Write this again" not in page


def test_guidance_that_was_taken_from_another_dialogue_says_from_which(study, researcher):
    thought = study.comparisons.order_by("pk").first().treatment_response.skill_of_mind
    thought.provenance = {"taken_from": {"skill_of_mind": 1, "dialogue": "another-one"}}
    thought.save()
    assert "taken from dialogue <bdi>another-one</bdi>" in researcher.get(page_of(study)).content.decode()
    listed = researcher.get(reverse("admin:annotation_skillofmind_changelist")).content.decode()
    assert "taken from dialogue another-one" in listed


def test_strangers_and_members_of_other_studies_see_nothing(study, client):
    assert client.get(page_of(study)).status_code == 302
    client.force_login(build.make_researcher(is_superuser=False))
    assert client.get(page_of(study)).status_code == 403


def test_odd_addresses_are_answered(study, researcher):
    for query in (
        {"at": "x"},
        {"at": "9" * 40},
        {"matchup": "9" * 40},
        {"q": "a\x00b"},
        {"skill": "-"},
        {"state": "?"},
    ):
        assert researcher.get(page_of(study, **query)).status_code == 200
    assert researcher.get(reverse("admin:annotation_comparison_browse", args=[10**9])).status_code == 404


def test_the_page_costs_the_same_for_many_comparisons(study, researcher, django_assert_max_num_queries):
    matchup = study.matchups.get()
    for _ in range(40):
        dialogue = build.make_dialogue(collection=study.collections.get())
        build.make_comparison(matchup, dialogue)
    with django_assert_max_num_queries(28):
        researcher.get(page_of(study))


def test_walking_on_reads_no_text_but_the_one_shown(study, researcher):
    researcher.get(page_of(study))
    for query in ({}, {"flag": "same_as_other"}, {"state": "fine"}):
        with CaptureQueriesContext(connection) as seen:
            assert researcher.get(page_of(study, at=study.comparisons.first().pk, **query)).status_code == 200
        with_texts = [each["sql"] for each in seen if 'annotation_response"."text"' in each["sql"]]
        assert len(with_texts) == 1, with_texts
        assert with_texts[0].endswith("LIMIT 1")


def test_what_is_kept_about_all_responses_is_found_again_when_one_is_written_again(study):
    assert dict(offers(study).flags)["same_as_other"] == 1
    third = study.comparisons.order_by("pk")[2]
    Response.objects.filter(pk=third.treatment_response_id).update(is_current=False)
    build.make_response(third.dialogue, third.matchup.treatment, text="Why do you ask?", flags=["quoted"])
    studies.prepare_comparisons(study)
    assert dict(offers(study).flags) == {"labelled": 1, "skill_leak": 1, "truncated": 1, "quoted": 1}
    assert offers(study).skills == (("Empathy", 1), ("Rhetoric", 1))
    assert numbers(study, flag="same_as_other") == []


def test_the_study_page_leads_here(study, researcher):
    page = researcher.get(reverse("admin:annotation_study_change", args=[study.pk])).content.decode()
    assert page_of(study) in page
