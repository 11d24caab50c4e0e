"""The files of a study by name, as downloads, as a folder, and as members of a study bundle."""

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from annotation.errors import DuologueError
from annotation.models import Study
from annotation.services.actors import Actor
from annotation.services.exports.comparisons import comparisons_csv
from annotation.services.exports.datasheets import datasheet_json, datasheet_markdown
from annotation.services.exports.figures import figures_zip
from annotation.services.exports.judgements import judgements_csv
from annotation.services.exports.preferences import chat_preferences_jsonl, preferences_jsonl
from annotation.services.exports.report_files import Source, report_json, report_latex, report_markdown
from annotation.services.exports.responses import responses_jsonl
from annotation.services.trail import EXPORT, record

CSV, JSONL, JSON = "text/csv", "application/x-ndjson", "application/json"


@dataclass(frozen=True)
class NamedFile:
    """What a file is called, by machines and by people."""

    name: str
    content_type: str
    title: str

    @property
    def ending(self) -> str:
        return self.name.rsplit(".", 1)[-1]


@dataclass(frozen=True)
class ExportFile(NamedFile):
    """One kind of file and how it is made, piece by piece. Some need the report, which takes time where it is large."""

    pieces: Callable[[Source], Iterator[bytes]]
    needs_report: bool = False


def _rows(make: Callable[[Study], Iterator[str]]) -> Callable[[Source], Iterator[bytes]]:
    return lambda source: (line.encode() for line in make(source.study))


def _text(make: Callable[[Source], Iterator[str]]) -> Callable[[Source], Iterator[bytes]]:
    return lambda source: (text.encode() for text in make(source))


_ALL = [
    ExportFile("judgements.csv", CSV, "Judgements, one a row", _rows(judgements_csv)),
    ExportFile("comparisons.csv", CSV, "Comparisons, one a row, with texts and votes", _rows(comparisons_csv)),
    ExportFile("responses.jsonl", JSONL, "Responses and how they were made", _rows(responses_jsonl)),
    ExportFile("preferences.jsonl", JSONL, "Preference pairs, as text", _rows(preferences_jsonl)),
    ExportFile("preferences-chat.jsonl", JSONL, "Preference pairs, as chat messages", _rows(chat_preferences_jsonl)),
    ExportFile("report.json", JSON, "Report, every figure", _text(report_json), needs_report=True),
    ExportFile("report.md", "text/markdown", "Report, tables", _text(report_markdown), needs_report=True),
    ExportFile("report.tex", "application/x-tex", "Report, tables for a paper", _text(report_latex), needs_report=True),
    ExportFile("figures.zip", "application/zip", "Figures as SVG", figures_zip, needs_report=True),
    ExportFile("datasheet.md", "text/markdown", "Datasheet (HEDS)", _text(datasheet_markdown), needs_report=True),
    ExportFile("datasheet.json", JSON, "Datasheet (HEDS), for programs", _text(datasheet_json), needs_report=True),
]

FILES = {file.name: file for file in _ALL}


class WouldOverwrite(DuologueError):
    """A file of that name is there already."""


def download_name(study: Study, name: str) -> str:
    """Return a file name that says which study it is from, in characters that every system takes."""
    words = re.sub(r"[^A-Za-z0-9]+", "-", study.name).strip("-").lower()[:60]
    return f"{words or 'study'}-{name}"


def write_files(study: Study, folder: Path, *, overwrite: bool = False, actor: Actor = None) -> list[Path]:
    """Write every file of the study into a folder. Raises WouldOverwrite before anything is written."""
    paths = [folder / download_name(study, name) for name in FILES]
    refuse_to_replace(paths, overwrite=overwrite)
    folder.mkdir(parents=True, exist_ok=True)
    source = Source(study)
    for path, file in zip(paths, FILES.values(), strict=True):
        write_whole(path, file.pieces(source))
    record(study, EXPORT, actor=actor, files=list(FILES))
    return paths


def refuse_to_replace(paths: list[Path], *, overwrite: bool) -> None:
    """Raise WouldOverwrite where one of these files is there, unless it may be replaced."""
    there = [path.name for path in paths if path.exists()]
    if there and not overwrite:
        raise WouldOverwrite(
            f"{', '.join(there)} in {paths[0].parent} would be replaced. Say --overwrite or name another folder."
        )


def write_whole(path: Path, pieces: Iterator[bytes]) -> None:
    """Put the pieces under the name only when all of them are on the disk: a file that is cut short looks whole."""
    partial = path.with_name(f"{path.name}.partial")
    try:
        with partial.open("wb") as file:
            file.writelines(pieces)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
