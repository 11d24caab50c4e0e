"""The files of a study by name, as downloads and as a folder."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from annotation.errors import DuologueError
from annotation.models import Study
from annotation.services.exports.judgements import judgements_csv


@dataclass(frozen=True)
class ExportFile:
    """One kind of file: what it is called and how its text is made, piece by piece."""

    name: str
    content_type: str
    title: str
    pieces: Callable[[Study], Iterator[str]]

    @property
    def ending(self) -> str:
        return self.name.rsplit(".", 1)[-1]


FILES = {
    file.name: file for file in [ExportFile("judgements.csv", "text/csv", "Judgements, one a row", judgements_csv)]
}


class WouldOverwrite(DuologueError):
    """A file of that name is there already."""


def download_name(study: Study, name: str) -> str:
    """Return a file name that says which study it is from, in characters that every system takes."""
    words = re.sub(r"[^A-Za-z0-9]+", "-", study.name).strip("-").lower()[:60]
    return f"{words or 'study'}-{name}"


def write_files(study: Study, folder: Path, *, overwrite: bool = False) -> list[Path]:
    """Write every file of the study into a folder. Raises WouldOverwrite before anything is written."""
    paths = [folder / download_name(study, name) for name in FILES]
    there = [path.name for path in paths if path.exists()]
    if there and not overwrite:
        raise WouldOverwrite(
            f"{', '.join(there)} in {folder} would be replaced. Say --overwrite or name another folder."
        )
    folder.mkdir(parents=True, exist_ok=True)
    for path, file in zip(paths, FILES.values(), strict=True):
        _write(path, file.pieces(study))
    return paths


def _write(path: Path, pieces: Iterator[str]) -> None:
    """Put the pieces under the name only when all of them are there: a file that is cut short looks whole."""
    partial = path.with_name(f"{path.name}.partial")
    with partial.open("w", encoding="utf-8", newline="") as file:
        file.writelines(pieces)
    partial.replace(path)
