"""Responses of other systems: whole files, matched to dialogues, checked like our own, and ready to be compared."""

import contextlib
import hashlib
import io
import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from annotation.models import Agent, Response, SkillOfMind
from annotation.response_files import ResponseFileErrors, parse_responses
from annotation.services import generation, studies
from annotation.services.importing import ImportRefused, import_file
from annotation.services.responses import import_responses
from annotation.states import StudyState
from tests import build
from webapp.env import ROOT

EXAMPLES = ROOT / "docs" / "examples"
pytestmark = pytest.mark.django_db


def line(dialogue_id="d1", response="I would call her first.", **over):
    return json.dumps({"dialogue_id": dialogue_id, "response": response} | over) + "\n"


def send(*lines, agent="System X", name="x.jsonl", **options):
    return import_responses(agent, file=io.BytesIO("".join(lines).encode()), filename=name, **options)


@pytest.fixture
def collection():
    collection = build.make_collection(name="Pilot")
    for number in (1, 2, 3):
        build.make_dialogue(collection=collection, external_id=f"d{number}")
    return collection


def test_a_file_becomes_an_agent_with_its_origin(collection):
    content = line() + line("d2", "Take a walk with him.")
    result = send(content, note="Outputs of last year")
    assert (result.created, result.flagged) == (2, 0)
    agent = Agent.objects.get(name="System X")
    assert (agent.responder, agent.note) == (None, "Outputs of last year")
    response = agent.responses.get(dialogue__external_id="d2")
    assert (response.text, response.is_current) == ("Take a walk with him.", True)
    assert response.provenance == {
        "source": "imported",
        "file": "x.jsonl",
        "file_sha256": hashlib.sha256(content.encode()).hexdigest(),
        "line": 2,
        "finish_reason": "stop",
    }


@pytest.mark.parametrize("name", ["responses.jsonl", "responses.csv"])
def test_the_examples_answer_the_example_dialogues(name):
    with (EXAMPLES / "dialogues.jsonl").open("rb") as file:
        import_file("Pilot", file=file, filename="dialogues.jsonl")
    with (EXAMPLES / name).open("rb") as file:
        result = import_responses("Examples", file=file, filename=name)
    assert (result.created, dict(result.flags)) == (3, {})
    assert Response.objects.get(dialogue__external_id="bus-stop-1").skill_of_mind.skill == "Self-disclosure"


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        ([line(), line("d9")], "Line 2, dialogue_id: There is no dialogue “d9” in any collection"),
        ([line(), line()], "Line 2, dialogue_id: “d1” has a response on line 1 already"),
        ([line(), line(collection="Pilot")], "Line 2, dialogue_id: This dialogue has a response on line 1 already"),
        ([line(response=None)], "Line 1, response: This field is missing"),
        ([line(response=["a"])], "Line 1, response: Expected text"),
        ([line(response="x" * 20_001)], "Line 1, response: This has 20,001 characters"),
        ([line(""), line("d2")], "Line 1, dialogue_id: This field is missing"),
        ([line(finish_reason=[])], "Line 1, finish_reason: Expected stop, or length"),
        ([line(finish_reason="done")], "Line 1, finish_reason: Expected stop, or length"),
        ([line(skill="a\x00")], "Line 1, skill: It contains a null character"),
        ([line(collection="Pilto")], "There is no collection “Pilto”. Did you mean “Pilot”?"),
        ([line(), "{\n"], "Line 2: This is not JSON"),
        ([line(respons="x")], "Line 1, respons: There is no such field. Did you mean “response”?"),
        ([], "The file holds no responses"),
    ],
)
def test_a_bad_line_is_named_and_nothing_is_stored(collection, lines, sentence):
    with pytest.raises(ResponseFileErrors) as raised:
        send(*lines)
    assert sentence in raised.value.user_message
    assert not Agent.objects.exists()
    assert not Response.objects.exists()


def test_an_id_in_several_collections_needs_the_name_of_one(collection):
    other = build.make_dialogue(collection=build.make_collection(name="Main"), external_id="d1")
    with pytest.raises(ResponseFileErrors, match="in several collections: “Main”, “Pilot”"):
        send(line())
    send(line(), line(collection="Pilot"), collection="Main")
    assert Response.objects.filter(dialogue=other).exists()
    assert Response.objects.filter(dialogue__collection=collection).count() == 1


def test_a_dialogue_of_another_collection_than_the_named_one_is_not_taken(collection):
    build.make_collection(name="Main")
    with pytest.raises(ResponseFileErrors, match=r"in the collection “Main”\. It is in “Pilot”"):
        send(line(), collection="Main")
    with pytest.raises(ResponseFileErrors, match="no collection “Mian”"):
        send(line(), collection="Mian")


def test_the_same_file_again_changes_nothing(collection):
    send(line(skill="Empathy", explanation="She is sad."), line("d2"))
    before = list(Response.objects.values())
    assert send(line(skill="Empathy", explanation="She is sad."), line("d2")).unchanged == 2
    assert list(Response.objects.values()) == before


def test_another_response_is_refused_or_takes_the_place_of_the_old_one_that_stays(collection):
    send(line(), line("d2"))
    with pytest.raises(ImportRefused, match=r"other responses to 1 of these dialogues: d1 \(line 1\)"):
        send(line(response="Say nothing."), line("d3"))
    assert Response.objects.count() == 2
    result = send(line(response="Say nothing.", skill="Rhetoric"), line("d2"), line("d3"), update=True)
    assert (result.created, result.replaced, result.unchanged) == (1, 1, 1)
    texts = Response.objects.filter(dialogue__external_id="d1").values_list("text", "is_current")
    assert set(texts) == {("I would call her first.", False), ("Say nothing.", True)}


def test_an_agent_that_writes_its_own_responses_takes_no_imported_ones(collection):
    build.make_agent(name="System X")
    with pytest.raises(ImportRefused, match="writes its own responses"):
        send(line())


def test_a_dry_run_says_the_same_and_stores_nothing(collection):
    result = send(line(), line("d2", ""), dry_run=True)
    assert str(result) == (
        "Nothing was stored. The file is sound; importing it as “System X” would give 2 new, 0 replaced, 0 as before. "
        "Checks found: empty 1; 1 are held back until you decide."
    )
    assert not Agent.objects.exists()


def test_imported_responses_pass_the_same_checks(collection):
    send(
        line("d1", "Ana: That is a pity.", explanation="Ana thinks of the exam and of what comes after it now."),
        line("d2", "It goes on and on without", finish_reason="length"),
        line("d3", "So here is Active Listening for you. I hear you."),
    )
    found = dict(Response.objects.values_list("dialogue__external_id", "flags"))
    assert found == {"d1": ["labelled"], "d2": ["truncated"], "d3": ["skill_leak"]}
    first = Response.objects.get(dialogue__external_id="d1")
    assert (first.text, first.raw_text) == ("That is a pity.", "Ana: That is a pity.")


def test_any_system_is_compared_in_a_study_once_its_flagged_responses_are_dealt_with(collection):
    send(line("d1", "One."), line("d2", "Two of them."), line("d3", ""), agent="A")
    send(line("d1", "Uno."), line("d2", "Two, of them!"), line("d3", "Tres."), agent="B")
    study = build.make_study(collections=[collection])
    build.make_criteria(study)
    build.make_matchup(study, baseline=Agent.objects.get(name="A"), treatment=Agent.objects.get(name="B"))
    studies.prepare_comparisons(study)
    assert generation.start_run(study).units.count() == 0
    with pytest.raises(studies.LaunchRefused, match="2 of 3 comparisons lack two usable responses"):
        studies.launch(study, actor=None, now=timezone.now())
    for unusable in studies.find_unusable(study):
        studies.exclude_comparison(unusable.comparison, "Nothing to compare.", actor=None, now=timezone.now())
    assert studies.launch(study, actor=None, now=timezone.now()).state == StudyState.RUNNING


@given(st.binary(max_size=300), st.sampled_from(["a.jsonl", "a.csv"]))
def test_any_bytes_are_read_or_refused_in_words(content, name):
    with contextlib.suppress(ResponseFileErrors):
        parse_responses(io.BytesIO(content), filename=name)


def test_a_thousand_responses_need_few_statements(collection, django_assert_max_num_queries):
    for number in range(300):
        build.make_dialogue(collection=collection, external_id=f"more{number}")
    lines = [line(f"more{number}", f"Number {number} it is.", skill="Empathy") for number in range(300)]
    with django_assert_max_num_queries(16):
        send(*lines)
    assert SkillOfMind.objects.count() == 300


# --- command and page ---


def test_the_command_imports_and_refuses_in_plain_words(collection, tmp_path):
    path = tmp_path / "system.csv"
    path.write_text("dialogue_id,response\nd1,Call her.\n")
    out = io.StringIO()
    call_command("import_responses", str(path), "--agent", "X", "--dry-run", stdout=out)
    assert not Response.objects.exists()
    call_command("import_responses", str(path), "--agent", "X", stdout=out)
    assert "Imported as the responses of “X”: 1 new, 0 replaced, 0 as before." in out.getvalue()
    path.write_text("dialogue_id,response\nd7,Call her.\n")
    with pytest.raises(CommandError, match="Line 2, dialogue_id"):
        call_command("import_responses", str(path), "--agent", "Y")
    with pytest.raises(CommandError, match="Cannot read"):
        call_command("import_responses", str(tmp_path / "none"), "--agent", "Y")


PAGE = "admin:annotation_agent_import"


def upload(client, *lines, **over):
    file = SimpleUploadedFile("x.jsonl", "".join(lines).encode())
    return client.post(reverse(PAGE), {"agent": "System X", "upload": file} | over, follow=True)


def test_the_page_imports_a_file_and_shows_what_came_in(collection, client):
    client.force_login(build.make_researcher())
    assert reverse(PAGE) in client.get(reverse("admin:annotation_agent_changelist")).content.decode()
    assert client.get(reverse(PAGE)).status_code == 200
    shown = upload(client, line(), collection=collection.pk).content.decode()
    assert "1 new, 0 replaced" in shown
    assert "I would call her first." in shown


def test_the_page_names_every_bad_line_and_escapes_it(collection, client):
    client.force_login(build.make_researcher())
    shown = upload(client, line("<b>d9</b>"), line("d8")).content.decode()
    assert "Line 1, dialogue_id: There is no dialogue “&lt;b&gt;d9&lt;/b&gt;”" in shown
    assert "Line 2, dialogue_id: There is no dialogue “d8”" in shown
    assert not Agent.objects.exists()


def test_only_checking_on_the_page_stores_nothing(collection, client):
    client.force_login(build.make_researcher())
    assert "Nothing was stored." in upload(client, line(), dry_run="on").content.decode()
    assert not Agent.objects.exists()


def test_the_page_is_closed_to_those_who_may_not_add_agents(collection, client):
    client.force_login(build.make_researcher(is_superuser=False))
    assert upload(client, line()).status_code == 403
    assert client.get(reverse(PAGE)).status_code == 403


@pytest.mark.parametrize("name", ["responses.jsonl", "responses.csv"])
def test_the_examples_can_be_taken_from_the_page(client, name):
    client.force_login(build.make_researcher())
    address = reverse("admin:annotation_agent_response_example", args=[name])
    assert client.get(address).getvalue() == (EXAMPLES / name).read_bytes()
    assert client.get(address.replace(name, "ratings.csv")).status_code == 404


def test_a_column_that_is_not_there_is_missed_once_and_not_on_every_line(collection):
    table = io.BytesIO(b"dialogue_id\n" + b"".join(b"d%d\n" % n for n in range(50)))
    with pytest.raises(ResponseFileErrors) as raised:
        import_responses("X", file=table, filename="x.csv")
    assert (
        raised.value.user_message == "Line 1, response: The header does not name this column, and every row needs it."
    )
