"""Dialogue files: what is read, and what a person is told when it cannot be."""

import io
import json
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from annotation.dialogue_files import DialogueFileErrors, DialogueRecord, Turn, parse_dialogues
from annotation.row_files import MAX_BYTES
from webapp.env import ROOT

EXAMPLES = ROOT / "docs" / "examples"
TURNS = [{"speaker": "Ana", "text": "Is it far?"}, {"speaker": "Luis", "text": "It was, yesterday."}]


def a_dialogue(**over):
    return {"id": "a", "turns": TURNS, "next_speaker": "Ana"} | over


def jsonl(*dialogues):
    return "".join(json.dumps(dialogue) + "\n" for dialogue in dialogues).encode()


def parse(data, filename="dialogues.jsonl"):
    return parse_dialogues(io.BytesIO(data), filename=filename)


def problems_of(data, filename="dialogues.jsonl"):
    with pytest.raises(DialogueFileErrors) as caught:
        parse(data, filename)
    return caught.value


def message_of(data, filename="dialogues.jsonl"):
    return problems_of(data, filename).user_message


def test_a_dialogue_is_read_with_its_line():
    record = parse(b"\n" + jsonl(a_dialogue(kind=" empathy ", tags=["bus"], language="pt-BR")))[0]
    assert record == DialogueRecord(
        id="a",
        turns=(Turn("Ana", "Is it far?"), Turn("Luis", "It was, yesterday.")),
        next_speaker="Ana",
        kind="empathy",
        language="pt-BR",
        tags=("bus",),
    )
    assert record.line == 2


def test_the_two_example_files_say_the_same():
    from_jsonl, from_csv = (
        parse((EXAMPLES / name).read_bytes(), name) for name in ("dialogues.jsonl", "dialogues.csv")
    )
    assert from_jsonl == from_csv
    assert [len(record.turns) for record in from_csv] == [3, 3, 1]


def test_a_byte_order_mark_and_windows_line_ends_are_read():
    data = b"\xef\xbb\xbf" + jsonl(a_dialogue(), a_dialogue(id="b")).replace(b"\n", b"\r\n")
    assert [record.id for record in parse(data)] == ["a", "b"]


def test_line_separators_inside_a_text_do_not_break_a_line():
    turns = [{"speaker": "Ana", "text": "one\u2028two"}]
    data = json.dumps(a_dialogue(turns=turns), ensure_ascii=False).encode()
    assert parse(data)[0].turns[0].text == "one\u2028two"


def test_a_number_may_be_an_id():
    assert parse(jsonl(a_dialogue(id=17)))[0].id == "17"


def test_the_speaker_of_the_last_turn_may_go_on():
    assert parse(jsonl(a_dialogue(next_speaker="Luis")))[0].next_speaker == "Luis"


def test_a_dialogue_of_one_speaker_may_be_answered_by_somebody_new():
    assert parse(jsonl(a_dialogue(turns=TURNS[:1], next_speaker="Luis")))[0].next_speaker == "Luis"


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b"{", "Line 2: This is not JSON"),
        (b"[1]", "Line 2: Expected a JSON object"),
        (b"\xff", "Line 2: This is not UTF-8"),
        (b'{"id": NaN}', "Line 2: This JSON cannot be used: NaN is not a JSON value."),
        (b'{"id": "b", "id": "c"}', "the field 'id' is there twice"),
        (b'{"id": ' + b"9" * 5000 + b"}", "Line 2: This JSON cannot be used: a number has 5,000 digits."),
        (json.dumps({f"k{n}": 1 for n in range(1001)}).encode(), "Line 2: There are 1,001 fields here."),
        (b"[" * 200_000, "Line 2: The JSON is nested too deeply"),
        (jsonl(a_dialogue(id="a")), "Line 2, id: “a” is also the id on line 1."),
        (jsonl(a_dialogue(id=None)), "Line 2, id: This field is missing."),
        (jsonl(a_dialogue(id=True)), "Line 2, id: Expected text in quotes, found true or false."),
        (jsonl(a_dialogue(id="b", turns=[])), "Line 2, turns: There are no turns."),
        (jsonl(a_dialogue(id="b", turns="Ana: Hi")), "Line 2, turns: Expected a list"),
        (jsonl(a_dialogue(id="b", turns=TURNS * 101)), "Line 2, turns: There are 202 turns, the limit is 200."),
        (jsonl(a_dialogue(id="b", turns=["Hi"])), 'Line 2, turns[1]: Expected {"speaker": …, "text": …}'),
        (jsonl(a_dialogue(id="b", turns=[{"speaker": "Ana", "text": " "}])), "Line 2, turns[1].text: There is no text"),
        (
            jsonl(a_dialogue(id="b", turns=[{"speaker": "Ana", "text": "x" * 8001}])),
            "Line 2, turns[1].text: This has 8,001 characters, the limit is 8,000.",
        ),
        (jsonl(a_dialogue(id="b", next_speaker="")), "Line 2, next_speaker: This field is missing."),
        (
            jsonl(a_dialogue(id="b", next_speaker="Anna")),
            "Line 2, next_speaker: “Anna” does not speak in this dialogue. Did you mean “Ana”?",
        ),
        (jsonl(a_dialogue(id="b", next_speaker="Q")), "Use one of Ana, Luis."),
        (jsonl(a_dialogue(id="b", kind="k" * 61)), "Line 2, kind: This has 61 characters"),
        (jsonl(a_dialogue(id="b", reference="\x00")), "Line 2, reference: It contains a null character"),
        (b'{"id": "\\ud800", "turns": []}', "Line 2, id: It contains half of a character"),
        (jsonl(a_dialogue(id="b", language="English, US")), "Line 2, language: “English, US” is not a language tag."),
        (jsonl(a_dialogue(id="b", tags="bus")), "Line 2, tags: Expected a list"),
        (jsonl(a_dialogue(id="b", tags=["\x00"])), "Line 2, tags: It contains a null character"),
        (jsonl(a_dialogue(id="b", next_speeker="Ana")), "Did you mean “next_speaker”?"),
    ],
)
def test_a_bad_line_is_named_with_its_field(line, says):
    assert says in message_of(jsonl(a_dialogue()) + line)


def test_every_problem_of_a_file_is_told_at_once():
    error = problems_of(jsonl(a_dialogue(id=""), a_dialogue(turns=[]), a_dialogue(next_speaker="Zoe")))
    assert [(problem.line, problem.field) for problem in error.problems] == [
        (1, "id"),
        (2, "turns"),
        (3, "next_speaker"),
        (3, "id"),
    ]


def test_a_hopeless_file_gets_twenty_problems_and_a_count():
    error = problems_of(b"{\n" * 1000)
    assert len(error.problems) == 20
    assert error.total == 1000
    assert error.user_message.splitlines()[-1].startswith("… and 980 more.")


def test_a_file_of_nothing_but_problems_is_given_up():
    began = time.perf_counter()
    error = problems_of(b"{\n" * 1_000_000)
    assert error.total == 10_000
    assert error.user_message.splitlines()[-1].startswith("… and at least 9,980 more, where reading stopped.")
    assert time.perf_counter() - began < 5


@pytest.mark.parametrize(
    ("data", "filename", "says"),
    [
        (b"", "d.jsonl", "The file holds no dialogues."),
        (b"\n \n", "d.jsonl", "The file holds no dialogues."),
        (b"id,turns,next_speaker\n", "d.csv", "The file holds no dialogues."),
        (b"x", "d.xlsx", "Cannot tell the format of “d.xlsx” from its name."),
        (b'[\n{"id": "a"}]', "d.json", "This is one JSON list."),
        ("id,turns".encode("utf-16"), "d.csv", "This is not UTF-8 text."),
        (b" " * (MAX_BYTES + 1), "d.jsonl", "The file is larger than 50 MB."),
    ],
)
def test_a_file_that_is_no_file_of_dialogues_is_refused(data, filename, says):
    assert says in message_of(data, filename)


CSV_HEADER = "id,turns,next_speaker,tags\n"


def csv_problem(text):
    return message_of((CSV_HEADER + text).encode(), "d.csv")


def test_csv_turns_are_plain_lines_or_json():
    as_lines = 'a,"Ana: Is it far?\nLuis: It was, yesterday.",Ana,bus; night\n'
    as_json = '"b","{}",Ana,"[""bus"", ""night""]"\n'.format(json.dumps(TURNS).replace('"', '""'))
    first, second = parse((CSV_HEADER + as_lines + as_json).encode(), "d.csv")
    assert first.turns == second.turns == (Turn("Ana", "Is it far?"), Turn("Luis", "It was, yesterday."))
    assert first.tags == second.tags == ("bus", "night")
    assert (first.line, second.line) == (2, 4)


def test_a_cell_holds_the_longest_dialogue_that_there_may_be():
    said = "\n".join(f"{'Ana' if number % 2 else 'Luis'}: {'x' * 8000}" for number in range(200))
    assert len(parse(f'{CSV_HEADER}a,"{said}",Ana,\n'.encode(), "d.csv")[0].turns) == 200


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_csv_separators_are_recognised(separator):
    header = separator.join(["Next Speaker", "id", "turns"])
    row = separator.join(["Ana", "a", "Ana: Hm. Well: no."])
    assert parse(f"{header}\r\n{row}\r\n".encode(), "d.csv")[0].turns == (Turn("Ana", "Hm. Well: no."),)


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("a,Ana,Ana\n", "Line 2: This row has 3 cells, the header has 4."),
        ("a,Hello,Ana,\n", "Line 2, turns[1]: Expected “Name: text”."),
        ("a,Ana:Hello,Ana,\n", "Line 2, turns[1]: Expected “Name: text”."),
        ('a,"[{""speaker""",Ana,\n', "Line 2, turns: The cell begins like JSON"),
        ("a,[NaN],Ana,\n", "Line 2, turns: The cell begins like JSON"),
        ("a,[1,Ana,[\n", "Line 2, tags: The cell begins like JSON"),
        ("a,,Ana,\n", "Line 2, turns: There are no turns."),
        ('a,"Ana: Hi,Ana,\n', "Line 2: The quotes or the length of this row are off"),
        ("a," + "x" * 17_000_000 + ",Ana,\n", "Line 2: The quotes or the length of this row are off"),
        ("a,Ana: \x00,Ana,\n", "Line 2, turns[1].text: It contains a null character"),
    ],
)
def test_a_bad_row_is_named_with_its_field(row, says):
    assert says in csv_problem(row)


@pytest.mark.parametrize(
    ("header", "says"),
    [
        (b"name,age\n", "Line 1: The first line must name the columns"),
        (b"id,turns,turns,next_speaker\n", "Line 1, turns: The header names this column twice."),
        (b"id" + b"," * 1001, "Line 1: There are 1,002 fields here."),
        (b"id,turns,nextspeaker\n", "Did you mean “next_speaker”?"),
        (b"id,turns,next_speaker\n\n\xff", "Line 3: This is not UTF-8"),
    ],
)
def test_a_bad_header_or_encoding_is_refused(header, says):
    assert says in message_of(header, "d.csv")


def test_a_long_line_of_blanks_is_refused_in_no_time():
    began = time.perf_counter()
    assert "Expected “Name: text”" in csv_problem("a,x" + " " * 120_000 + "x,Ana,\n")
    assert time.perf_counter() - began < 2


def test_a_field_named_twice_is_found_among_very_many():
    """Compared name by name it would take hours."""
    names = ",".join(f'"k{number}": 1' for number in range(300_000))
    assert "the field 'id' is there twice" in message_of(f'{{{names}, "id": "a", "id": "b"}}'.encode())


@given(data=st.binary(max_size=400), suffix=st.sampled_from([".jsonl", ".csv", ".tsv", ".json", ".txt", ""]))
@example(data=b"id,turns,next_speaker\n\r\r\n", suffix=".csv")
@example(data=b"\xef\xbb\xbf", suffix=".csv")
def test_any_bytes_give_records_or_problems(data, suffix):
    outcome_of(data, f"file{suffix}")


words = st.text(max_size=8)
leaves = words | st.integers() | st.none() | st.booleans() | st.floats()
values = leaves | st.lists(leaves | st.fixed_dictionaries({"speaker": leaves, "text": leaves}), max_size=3)
FIELD_NAMES = ["id", "turns", "next_speaker", "tags", "language", "kind", "reference", "reference_skills", "other"]


@given(changes=st.lists(st.dictionaries(st.sampled_from(FIELD_NAMES), values, max_size=3), max_size=3))
def test_any_json_gives_records_or_problems(changes):
    outcome_of(jsonl(*(a_dialogue(**change) for change in changes)), "file.jsonl")


@given(rows=st.lists(st.tuples(words, words, words), max_size=4))
def test_any_csv_gives_records_or_problems(rows):
    body = "\n".join(",".join(f'"{cell}"' for cell in row) for row in rows)
    outcome_of(f"id,turns,next_speaker\n{body}".encode("utf-8", "surrogatepass"), "file.csv")


names = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Zs", "Zl", "Zp"]), min_size=1, max_size=20)


@given(turns=st.lists(st.tuples(names, names), min_size=1, max_size=8), tags=st.lists(names, max_size=4))
def test_what_is_written_is_what_is_read(turns, tags):
    spoken = [{"speaker": speaker, "text": text} for speaker, text in turns]
    record = parse(jsonl(a_dialogue(turns=spoken, next_speaker=turns[0][0], tags=tags)))[0]
    assert [(turn.speaker, turn.text) for turn in record.turns] == turns
    assert list(record.tags) == tags


def outcome_of(data, filename):
    """Check that the records are whole, or that the problems can be shown."""
    try:
        records = parse(data, filename)
    except DialogueFileErrors as caught:
        error = caught
    else:
        assert all(record.id and record.turns and record.next_speaker for record in records)
        return
    assert 0 < len(error.problems) <= min(error.total, 20)
    assert error.user_message
