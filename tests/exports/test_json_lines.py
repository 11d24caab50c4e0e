"""Responses and preference pairs: what they say, and that table readers take them."""

import json

import datasets
import pytest

from annotation.models import Response
from annotation.services.exports.json_files import json_lines
from annotation.services.exports.responses import UNKNOWN
from tests import build
from tests.console.judging import make_judged_study
from tests.exports.hostile import LONG, NASTY, A, B, make_hostile_study
from tests.exports.reading import content, json_rows

pytestmark = pytest.mark.django_db
JSONL = ["responses.jsonl", "preferences.jsonl", "preferences-chat.jsonl"]


@pytest.fixture
def load(tmp_path, monkeypatch):
    """Load a file with the `datasets` library, in pieces small enough that types must not depend on the first rows."""
    monkeypatch.setattr(datasets.config, "HF_DATASETS_OFFLINE", True)

    def load(study, name):
        path = tmp_path / name
        path.write_bytes(content(study, name))
        options = {"split": "train", "cache_dir": str(tmp_path / "cache"), "chunksize": 16 << 10}
        return datasets.load_dataset("json", data_files=str(path), **options)

    return load


@pytest.mark.parametrize("name", JSONL)
def test_the_datasets_library_loads_every_row(load, name):
    study = make_hostile_study()
    rows, loaded = json_rows(study, name), load(study, name)
    assert len(loaded) == len(rows) > 0
    assert loaded.column_names == list(rows[0])
    assert loaded.to_list() == rows


@pytest.mark.parametrize(
    ("over", "shown"),
    [
        ({"guidance": "skill"}, "skill"),
        ({"source": "doctor"}, "explanation"),
        ({"source": "random"}, "skill"),
        ({}, "both"),
    ],
)
def test_a_response_says_how_much_of_the_guidance_its_responder_saw(over, shown):
    study = make_judged_study()
    agent = study.matchups.first().treatment
    agent.augmenter = build.make_augmenter(**over)
    agent.save()
    found = {row["agent"]: row["augmenter_guidance"] for row in json_rows(study, "responses.jsonl")}
    assert found[agent.name] == shown
    assert found[study.matchups.first().baseline.name] == ""


def test_pairs_are_what_more_than_half_prefer_on_comparisons_that_count():
    rows = json_rows(make_hostile_study(), "preferences.jsonl")
    found = [row for row in rows if row["criterion"] == "naturalness"]
    assert [row["chosen_agent"].split()[0] for row in found] == ["Guided", "Guided", "Plain"]
    first, second, third = found
    assert (first["votes_chosen"], first["votes_rejected"], first["votes"]) == (3, 0, 3)
    assert (second["votes_chosen"], second["votes_rejected"]) == (2, 1)
    assert (third["votes_chosen"], third["votes_tie"], third["votes_both_bad"]) == (2, 1, 0)
    assert second["rejected"] == LONG
    assert first["chosen_note"] == third["rejected_note"] == "demo augmenter, not Thanos"


def test_ties_both_bad_and_split_votes_make_no_pair():
    rows = json_rows(make_hostile_study(), "preferences.jsonl")
    assert not [row for row in rows if row["criterion"] == "engagingness"]
    assert len([row for row in rows if row["criterion"] == "prosociality"]) == 5


def test_excluded_comparisons_and_annotators_make_no_pair():
    study = build.make_running_study(dialogues=2, k=1)
    first, second = study.slots.all()
    build.judge(first, build.make_annotator(study, excluded_reason="Too fast."), [B, B, B])
    build.judge(second, build.make_annotator(study), [A, A, A])
    study.comparisons.filter(pk=second.comparison_id).update(excluded_reason="Same text.")
    assert json_rows(study, "preferences.jsonl") == []


def test_a_prompt_ends_where_the_response_begins():
    study = make_judged_study(dialogues=2, k=1, annotators=1, pull=1)
    row = json_rows(study, "preferences.jsonl")[0]
    assert row["prompt"] == "Ana: I failed my exam today.\nBen: Oh no. What happened?\nAna:"


def test_chat_messages_give_the_next_speaker_the_part_of_the_assistant():
    study = make_judged_study(dialogues=2, k=1, annotators=1, pull=1)
    plain, chat = json_rows(study, "preferences.jsonl")[0], json_rows(study, "preferences-chat.jsonl")[0]
    assert chat["prompt"] == [
        {"role": "assistant", "content": "I failed my exam today."},
        {"role": "user", "content": "Oh no. What happened?"},
    ]
    assert chat["chosen"] == [{"role": "assistant", "content": plain["chosen"]}]
    assert chat["rejected"] == [{"role": "assistant", "content": plain["rejected"]}]


def test_every_response_that_is_shown_is_there_once_with_its_provenance():
    study = make_judged_study(dialogues=2, k=1, annotators=1)
    made = {"model": "m-1b", "engine": "vllm", "seed": 7, "sampling": {"temperature": 0}, "prompt_sha256": "ab"}
    Response.objects.filter(pk=study.comparisons.first().baseline_response_id).update(provenance=made)
    rows = json_rows(study, "responses.jsonl")
    assert len(rows) == 4
    (row,) = [row for row in rows if row["engine"]]
    assert (row["model"], row["seed"], row["temperature"], row["prompt_sha256"]) == ("m-1b", 7, 0.0, "ab")
    assert (row["top_p"], row["completion_tokens"]) == (UNKNOWN, UNKNOWN)
    assert json.loads(row["provenance_json"]) == made


@pytest.mark.parametrize("provenance", [{}, [], "made by hand", {"seed": 2**70, "sampling": "greedy", "model": None}])
def test_a_provenance_of_any_form_is_kept_whole(provenance):
    study = build.make_running_study(dialogues=1)
    Response.objects.update(provenance=provenance)
    rows = json_rows(study, "responses.jsonl")
    assert [json.loads(row["provenance_json"]) for row in rows] == [provenance] * 2
    assert {row["seed"] for row in rows} == {UNKNOWN}


def test_a_line_stays_a_line_whatever_a_text_holds():
    (line,) = json_lines([{"text": NASTY}])
    assert len(line.splitlines()) == 1
    assert json.loads(line) == {"text": NASTY}
