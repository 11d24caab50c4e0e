"""Turn a JSONL or CSV file into dialogues, or say line by line why it is not one. Pure: no Django.

The format is described in docs/importing.md, with an example of each in docs/examples/.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import IO

from annotation.row_files import FileErrors, Problem, Problems, Row, parse_json, read_rows, text_problem

__all__ = ["DialogueFileErrors", "DialogueRecord", "Problem", "Turn", "parse_dialogues"]

MAX_TURNS = 200
# Characters. The short ones are the widths of the columns in the database.
MAX_TURN = 8_000
MAX_TAGS = 50
LENGTHS = {
    "id": 200,
    "kind": 60,
    "social_context": 50_000,
    "next_speaker": 200,
    "reference": 20_000,
    "language": 35,
    "content_warning": 300,
}
LISTS = ("tags", "reference_skills")
FIELDS = (*LENGTHS, "turns", *LISTS)
LANGUAGE_TAG = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")


@dataclass(frozen=True)
class Turn:
    """What one speaker said in one go."""

    speaker: str
    text: str


@dataclass(frozen=True)
class DialogueRecord:
    """One dialogue of a file. `line` is where it stands there; two records are equal whatever their lines."""

    id: str
    turns: tuple[Turn, ...]
    next_speaker: str
    kind: str = ""
    social_context: str = ""
    reference: str = ""
    reference_skills: tuple[str, ...] = ()
    language: str = "en"
    tags: tuple[str, ...] = ()
    content_warning: str = ""
    line: int = field(default=0, compare=False)


class DialogueFileErrors(FileErrors):
    """The file holds no usable set of dialogues."""


def parse_dialogues(file: IO[bytes], *, filename: str) -> list[DialogueRecord]:
    """Read every dialogue of the file; `filename` decides the format (.jsonl or .csv).

    Raises: DialogueFileErrors with the first 20 problems and the number of all. Nothing else, whatever the bytes.
    """
    problems = Problems(DialogueFileErrors)
    records = []
    lines_by_id: dict[str, int] = {}
    for row in read_rows(file, filename=filename, fields=FIELDS, problems=problems):
        record = _RowReader(row, problems).record()
        if (earlier := lines_by_id.setdefault(record.id, row.line)) != row.line and record.id:
            problems.add(row.line, "id", f"“{record.id}” is also the id on line {earlier}. Give each dialogue its own.")
        records.append(record)
    if not records and not problems.total:
        problems.stop("The file holds no dialogues.")
    problems.raise_if_any()
    return records


class _RowReader:
    """Reads the fields of one row and notes what is wrong with each."""

    def __init__(self, row: Row, problems: Problems) -> None:
        self.row = row
        self.problems = problems

    def record(self) -> DialogueRecord:
        """Return the record; it is only sound if no problem was noted."""
        turns = self._turns()
        return DialogueRecord(
            id=self._text("id", is_required=True),
            turns=turns,
            next_speaker=self._next_speaker(turns),
            kind=self._text("kind"),
            social_context=self._text("social_context"),
            reference=self._text("reference"),
            reference_skills=self._words("reference_skills"),
            language=self._language(),
            tags=self._words("tags"),
            content_warning=self._text("content_warning"),
            line=self.row.line,
        )

    def _note(self, field: str, message: str) -> None:
        self.problems.add(self.row.line, field, message)

    def _text(self, field: str, *, is_required: bool = False) -> str:
        value = self.row.cells.get(field)
        if field == "id" and isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        if value is None or (isinstance(value, str) and not value.strip()):
            if is_required:
                self._note(field, "This field is missing. Every dialogue needs it.")
            return ""
        return self._checked(value, field, LENGTHS[field])

    def _checked(self, value: object, field: str, limit: int) -> str:
        """Return the text without blanks around it, or "" after noting what is wrong with it."""
        if not isinstance(value, str):
            self._note(field, f"Expected text in quotes, found {_json_name(value)}.")
            return ""
        text = value.strip()
        message = text_problem(text)
        if not text:
            message = "There is no text here. Fill it in or leave it out."
        elif len(text) > limit:
            message = f"This has {len(text):,} characters, the limit is {limit:,}. Shorten it."
        if message:
            self._note(field, message)
            return ""
        return text

    def _language(self) -> str:
        tag = self._text("language") or "en"
        if not LANGUAGE_TAG.fullmatch(tag):
            self._note("language", f"“{tag}” is not a language tag. Use one such as en, de or pt-BR.")
        return tag

    def _words(self, field: str) -> tuple[str, ...]:
        """Read a list of short texts; in CSV also as words between semicolons."""
        value = self.row.cells.get(field)
        if value is None or value == "":
            return ()
        if self.row.is_csv and isinstance(value, str):
            value = self._json_cell(value, field) if value.lstrip().startswith("[") else _split_words(value)
        if not isinstance(value, list) or len(value) > MAX_TAGS:
            self._note(field, f"Expected a list of at most {MAX_TAGS} texts (in CSV: separated by semicolons).")
            return ()
        return tuple(self._checked(word, field, 100) for word in value)

    def _turns(self) -> tuple[Turn, ...]:
        value = self.row.cells.get("turns")
        if self.row.is_csv and isinstance(value, str) and value.strip():
            value = self._json_cell(value, "turns") if value.lstrip().startswith("[") else self._spoken_lines(value)
            if value is None:
                return ()
        if value is None or value == "" or value == []:
            self._note("turns", "There are no turns. A dialogue needs at least one before the next response.")
            return ()
        if not isinstance(value, list):
            self._note("turns", f'Expected a list of {{"speaker": …, "text": …}}, found {_json_name(value)}.')
            return ()
        if len(value) > MAX_TURNS:
            self._note("turns", f"There are {len(value):,} turns, the limit is {MAX_TURNS}. Keep the last ones.")
            return ()
        return tuple(self._turn(turn, f"turns[{number}]") for number, turn in enumerate(value, start=1))

    def _turn(self, value: object, place: str) -> Turn:
        if not isinstance(value, Mapping) or set(value) != {"speaker", "text"}:
            self._note(place, 'Expected {"speaker": …, "text": …} and nothing else.')
            return Turn("", "")
        return Turn(
            speaker=self._checked(value["speaker"], f"{place}.speaker", LENGTHS["next_speaker"]),
            text=self._checked(value["text"], f"{place}.text", MAX_TURN),
        )

    def _spoken_lines(self, cell: str) -> list[dict[str, str]] | None:
        """Read `Name: text` lines; None after noting the line that is not one."""
        turns = []
        lines = [line for line in re.split(r"[\r\n]+", cell) if line.strip()]
        for number, line in enumerate(lines, start=1):
            speaker, _, text = line.partition(":")
            if not speaker.strip() or not text.strip() or not text[0].isspace():
                self._note(f"turns[{number}]", "Expected “Name: text”. Turns of several lines must be written as JSON.")
                return None
            turns.append({"speaker": speaker, "text": text})
        return turns

    def _json_cell(self, cell: str, field: str) -> object:
        try:
            return parse_json(cell)
        except ValueError as error:
            self._note(field, f"The cell begins like JSON, with “[”. {error}")
            return None

    def _next_speaker(self, turns: tuple[Turn, ...]) -> str:
        """In a dialogue of two or more people the next speaker is one of them: a new name is most often a typo."""
        name = self._text("next_speaker", is_required=True)
        speakers = dict.fromkeys(turn.speaker for turn in turns)
        if name and name not in speakers and len(speakers) > 1 and "" not in speakers:
            near = get_close_matches(name, speakers, n=1)
            hint = f"Did you mean “{near[0]}”?" if near else f"Use one of {', '.join(list(speakers)[:6])}."
            self._note("next_speaker", f"“{name}” does not speak in this dialogue. {hint}")
        return name


def _split_words(cell: str) -> list[object]:
    return [word for word in cell.split(";") if word.strip()]


def _json_name(value: object) -> str:
    if value is None:
        return "null"
    names = {bool: "true or false", int: "a number", float: "a number", str: "text", list: "a list", dict: "an object"}
    return names.get(type(value), "something else")
