"""Turn a JSONL or CSV file of finished responses into records, or say line by line why it is none. Pure: no Django."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO

from annotation.row_files import FileErrors, Problems, Row, read_rows, text_problem

# Characters. The short ones are the widths of the columns in the database.
LENGTHS = {"dialogue_id": 200, "collection": 200, "response": 20_000, "explanation": 20_000, "skill": 200}
FINISH_REASONS = ("stop", "length")
FIELDS = (*LENGTHS, "finish_reason")


class ResponseFileErrors(FileErrors):
    """The file holds no usable set of responses."""


@dataclass(frozen=True)
class ResponseRecord:
    """One response of a file; `line` is where it stands there. `was_cut_off` tells that a token limit ended it."""

    dialogue_id: str
    response: str
    line: int
    collection: str = ""
    explanation: str = ""
    skill: str = ""
    was_cut_off: bool = False


def parse_responses(file: IO[bytes], *, filename: str) -> list[ResponseRecord]:
    """Read every response of the file; `filename` decides the format (.jsonl or .csv).

    Raises: ResponseFileErrors with the first 20 problems and the number of all. Nothing else, whatever the bytes.
    """
    problems = Problems(ResponseFileErrors)
    records = []
    lines: dict[tuple[str, str], int] = {}
    rows = read_rows(file, filename=filename, fields=FIELDS, problems=problems, required=("dialogue_id", "response"))
    for row in rows:
        record = _record(row, problems)
        earlier = lines.setdefault((record.collection, record.dialogue_id), row.line)
        if earlier != row.line and record.dialogue_id:
            problems.add(row.line, "dialogue_id", f"“{record.dialogue_id}” has a response on line {earlier} already.")
        records.append(record)
    if not records and not problems.total:
        problems.stop("The file holds no responses.")
    problems.raise_if_any()
    return records


def _record(row: Row, problems: Problems) -> ResponseRecord:
    texts = {name: _text(row, name, problems) for name in LENGTHS}
    if not texts["dialogue_id"].strip():
        problems.add(row.line, "dialogue_id", "This field is missing. It says which dialogue the response answers.")
    if row.cells.get("response") is None:
        problems.add(row.line, "response", "This field is missing. Where a system said nothing, write an empty text.")
    reason = row.cells.get("finish_reason")
    if reason not in (None, "", *FINISH_REASONS):
        problems.add(row.line, "finish_reason", "Expected stop, or length where the token limit cut the text off.")
    return ResponseRecord(
        dialogue_id=texts["dialogue_id"].strip(),
        response=texts["response"],
        line=row.line,
        collection=texts["collection"].strip(),
        explanation=texts["explanation"].strip(),
        skill=texts["skill"].strip(),
        was_cut_off=reason == "length",
    )


def _text(row: Row, name: str, problems: Problems) -> str:
    value = _value(row.cells, name)
    if value is None:
        return ""
    if not isinstance(value, str):
        problems.add(row.line, name, "Expected text in quotes.")
        return ""
    # What a model wrote may hold anything: the checks replace and flag it. What names things must be storable.
    if name != "response" and (message := text_problem(value)):
        problems.add(row.line, name, message)
    if len(value) > LENGTHS[name]:
        problems.add(row.line, name, f"This has {len(value):,} characters, the limit is {LENGTHS[name]:,}.")
    return value


def _value(cells: Mapping[str, object], name: str) -> object:
    value = cells.get(name)
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return str(value) if name == "dialogue_id" and is_number else value
