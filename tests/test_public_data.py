"""Public data sets in their own schemas: made-up rows of ours, cut as the paper cuts, read from every kind of file."""

import csv
import functools
import io
import json

import datasets
import pytest
from django.core.management import CommandError, call_command

from annotation.models import Collection, Dialogue
from annotation.public_data.cutting import EMPTY, ODD, Choices, cut
from annotation.public_data.schemas import DAILY_CONTEXT, GAP, OUT_OF_STEP, SETS, dialogues_of
from annotation.public_data.sources import DataRefused, DataRow, read_rows
from annotation.services.public_data import import_public_set


@pytest.fixture(autouse=True)
def no_network(monkeypatch, tmp_path):
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)


def daily(*texts):
    return {"dialog": list(texts), "act": [1] * len(texts), "emotion": [0] * len(texts)}


def exchange(dialogue, place, context, response, *rots, label="__casual__"):
    return {
        "context": context,
        "response": response,
        "rots": list(rots),
        "safety_label": label,
        "safety_annotations": [label],
        "source": "ours",
        "episode_done": False,
        "dialogue_id": dialogue,
        "response_id": place,
    }


def utterance(conversation, place, text, **over):
    fields = {
        "conv_id": conversation,
        "utterance_idx": place,
        "context": "proud",
        "prompt": "I baked bread_comma_ alone.",
    }
    return fields | {"utterance": text} | over


def blended(free, guided, **over):
    fields = {
        "personas": ["i keep bees.", "i drive a bus."],
        "previous_utterance": ["Do you like honey?", "On toast."],
        "free_messages": free,
        "guided_messages": guided,
        "context": "wizard_of_wikipedia",
    }
    return fields | over


def annotated(index, *skills, turns=4):
    names = ["Ada", "Bo"]
    return {
        "dialogue": [{"speaker": names[n % 2], "utter": f"This is turn {n} of {index}."} for n in range(turns)],
        "social_context_prompt": "Ada and Bo share a garden.",
        "parsed_generation": [
            {"skill": skill, "explanation": "It fits.", "counterfactual response": "No."} for skill in skills
        ],
        "index": index,
    }


def made(name, *rows, **choices):
    numbered = [DataRow(number, row) for number, row in enumerate(rows, start=1)]
    return cut(dialogues_of(SETS[name], numbered), Choices(**choices))


def spoken(record):
    return [(turn.speaker, turn.text) for turn in record.turns]


def test_daily_dialogues_lose_their_last_turn_to_the_reference():
    (record,) = made("daily-dialog", daily("Is it far?", "Two stops.", "Thanks!", "Any time.")).records
    assert spoken(record) == [("Speaker A", "Is it far?"), ("Speaker B", "Two stops."), ("Speaker A", "Thanks!")]
    assert (record.next_speaker, record.reference) == ("Speaker B", "Any time.")
    assert (record.social_context, record.kind) == (DAILY_CONTEXT, "daily-dialog")


def test_odd_dialogues_are_passed_over_and_counted_unless_they_are_asked_for():
    rows = [daily("a b", "c", "d"), daily("e", "f")]
    found = made("daily-dialog", *rows)
    assert ([record.id for record in found.records], dict(found.skipped)) == (["row-2"], {ODD: 1})
    (odd, _) = made("daily-dialog", *rows, keeps_odd=True).records
    assert (odd.next_speaker, len(odd.turns)) == ("Speaker A", 2)


def test_the_first_hundred_are_taken_and_passed_over_ones_do_not_count():
    rows = [daily("a", "b", "c"), *(daily("a", str(n)) for n in range(150))]
    found = made("daily-dialog", *rows)
    assert (len(found.records), found.records[0].reference, found.records[-1].reference) == (100, "0", "99")
    assert len(made("daily-dialog", *rows, first=None).records) == 150


def test_a_turn_without_words_is_passed_over():
    assert dict(made("daily-dialog", daily("a", " "), daily("a")).skipped) == {EMPTY: 1, "fewer than two turns": 1}


def test_empathetic_rows_are_put_together_in_their_order_with_commas():
    (record,) = made(
        "empathetic-dialogues",
        utterance("hit:1", 2, "Wow_comma_ alone?"),
        utterance("hit:1", 1, "I baked bread."),
    ).records
    assert spoken(record) == [("Speaker A", "I baked bread.")]
    assert (record.id, record.reference, record.tags) == ("hit:1", "Wow, alone?", ("proud",))
    assert "proud" in record.social_context
    assert "I baked bread, alone." in record.social_context


def test_conversations_that_lack_a_turn_in_between_are_passed_over():
    rows = [utterance("a", place, f"turn {place}") for place in (1, 2, 4, 5)]
    rows += [utterance("b", place, f"turn {place}") for place in (2, 3)]
    found = made("empathetic-dialogues", *rows, utterance("c", 1, "x"), utterance("c", 2, "y"))
    assert ([record.id for record in found.records], dict(found.skipped)) == (["c"], {GAP: 2})


def test_rules_of_thumb_of_a_whole_episode_come_once_each():
    rows = [
        exchange(7, 1, "And then I lied.", "Would you tell them?", "It is good to be honest.", "Say sorry."),
        exchange(7, 0, "I broke it.", "What happened?", "It is good to be honest.", label="__needs_caution__"),
        exchange(8, 0, "Hi.", "Hello."),
    ]
    first, second = made("prosocial-dialog", *rows).records
    assert spoken(first) == [
        ("Speaker A", "I broke it."),
        ("Speaker B", "What happened?"),
        ("Speaker A", "And then I lied."),
    ]
    assert first.social_context.splitlines()[1:] == ["- It is good to be honest.", "- Say sorry."]
    assert (first.tags, bool(first.content_warning)) == (("needs_caution", "casual"), True)
    assert (second.social_context, second.reference) == ("", "Hello.")


def test_episodes_with_a_missing_or_doubled_exchange_are_passed_over():
    rows = [exchange(1, 0, "a", "b"), exchange(1, 2, "c", "d"), exchange(2, 0, "a", "b"), exchange(2, 0, "c", "d")]
    assert sum(made("prosocial-dialog", *rows).skipped.values()) == 2


def test_blended_messages_alternate_after_the_two_that_open_the_talk():
    (record,) = made("blended-skill-talk", blended(["Which kind?", "Me too."], ["Heather.", "Nice."])).records
    assert [text for _, text in spoken(record)] == [
        "Do you like honey?",
        "On toast.",
        "Which kind?",
        "Heather.",
        "Me too.",
    ]
    assert (record.next_speaker, record.reference) == ("Speaker B", "Nice.")
    assert record.social_context == "What Speaker B says of themselves: i keep bees. i drive a bus."


def test_personas_of_both_speakers_are_told_apart_where_there_are_two():
    row = blended(["Hm."], ["Yes."], personas=[["i keep bees."], ["i drive a bus.", "i sing."]])
    (record,) = made("blended-skill-talk", row).records
    assert record.social_context.splitlines() == [
        "What Speaker A says of themselves: i keep bees.",
        "What Speaker B says of themselves: i drive a bus. i sing.",
    ]


def test_blended_messages_that_are_missing_on_one_side_are_passed_over():
    rows = [blended(["a", "b", "c"], ["d"]), blended(["a"], ["b", "c"])]
    assert dict(made("blended-skill-talk", *rows).skipped) == {OUT_OF_STEP: 2}


def photo(*said, described="Objects in the photo: Dog, Beach"):
    dialogue = [{"user_id": who, "message": text, "share_photo": not text} for who, text in said]
    return {"photo_description": described, "photo_id": "p", "photo_url": "x", "dialogue_id": 7, "dialogue": dialogue}


def test_a_shared_photo_is_a_turn_with_its_description():
    (record,) = made("photochat", photo((1, "Hi."), (1, "Look!"), (1, ""), (0, "So wet."))).records
    assert spoken(record) == [
        ("Speaker A", "Hi."),
        ("Speaker A", "Look!"),
        ("Speaker A", "[Sharing Image] Objects in the photo: Dog, Beach"),
    ]
    assert (record.id, record.next_speaker, record.reference) == ("7", "Speaker B", "So wet.")


def test_a_set_on_no_hub_says_where_its_files_are():
    with pytest.raises(DataRefused, match="PhotoChat is on no hub: give its files"):
        import_public_set("photochat")


def test_skills_that_people_chose_come_along_and_names_stay():
    (record,) = made("skill-of-mind", annotated("g-1", "Empathy", "Rhetoric", "Empathy")).records
    assert (record.reference_skills, record.next_speaker) == (("Empathy", "Rhetoric"), "Bo")
    assert (record.social_context, record.reference) == ("Ada and Bo share a garden.", "This is turn 3 of g-1.")


def test_columns_in_place_of_objects_are_read_all_the_same():
    row = annotated(3, "Ethics")
    row["dialogue"] = {name: [each[name] for each in row["dialogue"]] for name in ("speaker", "utter")}
    row["parsed_generation"] = {"skill": ["Ethics"], "explanation": ["x"]}
    (record,) = made("skill-of-mind", row).records
    assert (len(record.turns), record.reference_skills) == (3, ("Ethics",))


def test_an_index_that_comes_twice_gives_two_ids():
    records = made("skill-of-mind", annotated(5, "Ethics"), annotated(5, "Empathy")).records
    assert [record.id for record in records] == ["5", "5-2"]


def test_the_whole_dialogue_of_a_record_is_the_same_as_its_sets():
    rows = [daily(*map(str, range(length))) for length in range(2, 30, 2)]
    for row, record in zip(rows, made("daily-dialog", *rows).records, strict=True):
        assert [*(turn.text for turn in record.turns), record.reference] == row["dialog"]


@pytest.mark.parametrize(
    ("name", "row", "sentence"),
    [
        ("daily-dialog", {"dialogue": []}, "Row 1 has no dialog. DailyDialog has the fields dialog"),
        ("daily-dialog", {"dialog": "a\nb"}, "Row 1, dialog: expected a list of texts"),
        ("empathetic-dialogues", utterance("a", "one", "x"), "utterance_idx: “one” is no whole number"),
        ("prosocial-dialog", exchange(1, 0, "a", "b") | {"rots": "be kind"}, "rots: expected a list"),
        ("prosocial-dialog", exchange(1, 0, 5, "b"), "context: expected text, found int"),
        (
            "skill-of-mind",
            annotated(1) | {"dialogue": [{"who": "A"}]},
            "dialogue: expected a list of objects with speaker",
        ),
    ],
)
def test_another_schema_is_refused_with_row_and_field(name, row, sentence):
    with pytest.raises(DataRefused, match=sentence):
        made(name, row)


# --- files ---

ROWS = [daily("Is it far?", "Two stops."), daily("Rain again.", "Take my umbrella.")]


def written(folder, suffix, rows=ROWS):
    path = folder / f"test.{suffix}"
    if suffix == "jsonl":
        path.write_text("\n".join(map(json.dumps, rows)))
    elif suffix == "json":
        path.write_text(json.dumps(rows))
    elif suffix == "csv":
        with path.open("w", newline="") as file:
            table = csv.DictWriter(file, rows[0])
            table.writeheader()
            table.writerows(rows)
    else:
        datasets.Dataset.from_list(rows).to_parquet(path)
    return path


@pytest.mark.parametrize("suffix", ["jsonl", "json", "csv", "parquet"])
def test_every_kind_of_file_gives_the_same_rows(tmp_path, suffix):
    rows = list(read_rows(str(written(tmp_path, suffix)), split="test"))
    assert [row.cells["dialog"] for row in rows] == [row["dialog"] for row in ROWS]
    assert [row.number for row in rows] == [1, 2]


@pytest.mark.parametrize("suffix", ["jsonl", "parquet"])
def test_a_folder_is_read_through_the_library(tmp_path, suffix):
    written(tmp_path, suffix)
    rows = list(read_rows(str(tmp_path), split="test"))
    assert [row.cells["dialog"] for row in rows] == [row["dialog"] for row in ROWS]


ALL = {
    "daily-dialog": ROWS,
    "empathetic-dialogues": [utterance("a", 1, "x_comma_ y"), utterance("a", 2, "z")],
    "prosocial-dialog": [exchange(1, 0, "a", "b", "Be kind.")],
    "photochat": [photo((0, "a"), (1, ""))],
    "blended-skill-talk": [blended(["a"], ["b"])],
    "skill-of-mind": [annotated(1, "Ethics")],
}


@pytest.mark.parametrize("name", sorted(SETS))
def test_every_set_comes_through_the_library_as_it_comes_from_a_file(tmp_path, name):
    written(tmp_path, "parquet", ALL[name])
    found = cut(dialogues_of(SETS[name], read_rows(str(tmp_path), split="test")), Choices())
    assert found.records == made(name, *ALL[name]).records
    assert found.records


@pytest.mark.parametrize(
    ("file", "content", "sentence"),
    [
        ("a.txt", b"x", "Cannot tell the format"),
        ("a.jsonl", b'{"dialog": ["a"]}\n{', "Line 2 is not JSON"),
        ("a.jsonl", b"5", "Line 1: expected an object"),
        ("a.json", b"[1]", "Row 1: expected an object"),
        ("a.json", b"[" * 100_000, "is not JSON"),
        ("a.jsonl", b'{"a": "\xff"}', "not UTF-8"),
        ("a.csv", b"", "no dialogue to take"),
        ("a.csv", b"dialog\n\xff", "not UTF-8"),
        ("a.csv", b'dialog\n"a\x00', "no dialog|no CSV|expected a list"),
        ("a.parquet", b"no parquet", "cannot be loaded"),
        ("a.jsonl", b"", "no dialogue to take"),
    ],
)
@pytest.mark.django_db
def test_a_file_that_cannot_be_read_is_refused_in_words(tmp_path, file, content, sentence):
    (tmp_path / file).write_bytes(content)
    with pytest.raises(DataRefused, match=sentence):
        import_public_set("daily-dialog", source=str(tmp_path / file))
    assert not Collection.objects.exists()


def test_what_is_neither_a_file_nor_on_the_hub_is_refused_in_words():
    with pytest.raises(DataRefused, match="There is no file"):
        list(read_rows("/nowhere/test.jsonl", split="test"))
    with pytest.raises(DataRefused, match=r"cannot be loaded: .* download the file"):
        list(read_rows("somebody/no-such-set", split="test"))


# --- the command ---


def run(*arguments, **options):
    out = io.StringIO()
    call_command("import_dataset", *map(str, arguments), stdout=out, **options)
    return out.getvalue()


@pytest.mark.django_db
def test_the_command_stores_a_set_with_its_source_and_says_what_it_passed_over(tmp_path):
    path = written(tmp_path, "jsonl", [*ROWS, daily("a", "b", "c")])
    said = run("daily-dialog", path)
    assert said.splitlines() == [
        "Passed over: 1 with an odd number of turns.",
        "Imported into “DailyDialog (test)”: 2 new, 0 changed, 0 as before.",
    ]
    collection = Collection.objects.get()
    assert (collection.licence, "li2017dailydialog" in collection.source) == ("CC BY-NC-SA 4.0", True)
    assert "0 new, 0 changed, 2 as before" in run("daily-dialog", path)
    assert Dialogue.objects.get(external_id="row-1").reference == "Two stops."


@pytest.mark.django_db
def test_a_dry_run_of_the_command_stores_nothing(tmp_path):
    path = written(tmp_path, "json")
    assert "would give 1 new" in run("daily-dialog", path, "--dry-run", "--first", 1)
    assert not Collection.objects.exists()


@pytest.mark.django_db
def test_the_command_refuses_in_one_sentence(tmp_path):
    path = written(tmp_path, "json")
    refused = functools.partial(pytest.raises, CommandError)
    with refused(match="has no conv_id"):
        run("empathetic-dialogues", path)
    with refused(match="--first must be 1 or more"):
        run("daily-dialog", path, "--first", 0)
