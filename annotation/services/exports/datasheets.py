"""The datasheet of a study as Markdown and as JSON."""

from collections.abc import Iterator
from typing import Any

from annotation.datasheet.questions import section_of
from annotation.datasheet.sheet import Entry, Origin, numbers_of, open_numbers
from annotation.reporting.markdown import plain
from annotation.services import datasheets
from annotation.services.exports.json_files import json_document
from annotation.services.exports.report_files import Source

SOURCE = "HEDS 2.0: Shimorina and Belz, The Human Evaluation Datasheet, 2022. Questions in our own words."


def datasheet_json(source: Source) -> Iterator[str]:
    """Yield every question with its answer and who gave it."""
    entries = _entries(source)
    yield json_document(
        {
            "datasheet": SOURCE,
            "study": {"name": source.study.name, "code": str(source.study.code), "state": source.study.state},
            "questions": 45,
            "automatic": numbers_of(entries, Origin.RECORDS),
            "unanswered": open_numbers(entries),
            "answers": [_row(entry) for entry in entries],
        }
    )


def datasheet_markdown(source: Source) -> Iterator[str]:
    """Yield the same to be read."""
    entries = _entries(source)
    still = open_numbers(entries)
    yield f"# Human evaluation datasheet: {plain(source.study.name)}\n\n{SOURCE}\n\n"
    yield (
        f"**Unanswered: {', '.join(still)}.** Only the researchers know; the study's admin page asks for them.\n\n"
        if still
        else "Every question is answered.\n\n"
    )
    heading = ""
    for entry in entries:
        found = _heading(entry)
        if found != heading:
            heading = found
            yield f"## {heading}\n\n"
        yield f"**{entry.question.number}** {plain(entry.question.asks)}\n\n{_answer(entry)}\n\n"


def _entries(source: Source) -> list[Entry]:
    return datasheets.entries(source.study, source.report.content)


def _heading(entry: Entry) -> str:
    section = section_of(entry.question)
    return plain(f"{section}: {entry.criterion.name}" if entry.criterion else section)


def _answer(entry: Entry) -> str:
    if entry.is_answered:
        return plain(entry.answer)
    known = f" The records say: {plain(entry.so_far)}" if entry.so_far else ""
    return f"*Unanswered.*{known}"


def _row(entry: Entry) -> dict[str, Any]:
    return {
        "number": entry.question.number,
        "criterion": entry.criterion.key if entry.criterion else "",
        "question": entry.question.asks,
        "answer": entry.answer,
        "origin": entry.origin,
        "so_far": entry.so_far,
    }
