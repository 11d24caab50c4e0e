"""The study bundle: one zip with everything, from which every figure can be computed again.

All of it is read in one snapshot of the database, and no file tells when it was made: two bundles of a closed study are
the same, byte for byte.
"""

import hashlib
import os
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import IO, NamedTuple

from django.db import connection, transaction

from annotation.models import Event, Study
from annotation.results.bundle import CHECKSUMS
from annotation.results.errors import ResultsError
from annotation.results.load import STRATA
from annotation.results.summary import versions
from annotation.results.table import read_csv
from annotation.services import reports
from annotation.services.actors import Actor
from annotation.services.exports.figures import figures
from annotation.services.exports.files import FILES, NamedFile, download_name, refuse_to_replace
from annotation.services.exports.json_files import json_document
from annotation.services.exports.readme import readme
from annotation.services.exports.report_files import Source, Written
from annotation.services.exports.study_files import exclusions_csv, frozen_jsonl, study_json, trail_jsonl
from annotation.services.exports.zip_files import member
from annotation.services.trail import EXPORT_BUNDLE, record

BUNDLE = NamedFile("bundle.zip", "application/zip", "Study bundle: everything, to be computed again")
DOWNLOADS: tuple[NamedFile, ...] = (BUNDLE, *FILES.values())
"""Everything that a study can be taken away as."""
JUDGEMENTS = "judgements.csv"
FIGURES = "figures.zip"
PACKAGES = ("django", "psycopg", "numpy", "scipy", "krippendorff", "celery")


class Page(NamedTuple):
    """A page as an annotator saw it: its name in the bundle, and its bytes."""

    name: str
    content: bytes


type Pages = Callable[[Study], Iterator[Page]]


@dataclass(frozen=True)
class Bundle:
    """What was made: the file, and what the trail says of it."""

    path: Path
    name: str
    sha256: str
    size: int


def bundles_of(study: Study) -> list[Event]:
    """Return the trail's notes on every bundle of a study, oldest first: name, sha256, bytes, judgements."""
    return list(study.events.filter(verb=EXPORT_BUNDLE).order_by("pk"))


def make_bundle(study: Study, folder: Path, *, pages: Pages, actor: Actor = None, overwrite: bool = False) -> Bundle:
    """Write the bundle into a folder, whole or not at all, and note it in the trail. `pages` draws annotators' pages.

    Raises: WouldOverwrite.
    """
    path = folder / download_name(study, BUNDLE.name)
    refuse_to_replace([path], overwrite=overwrite)
    folder.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.partial")
    try:
        with partial.open("w+b") as file:
            with one_snapshot():
                judgements = _write(Study.objects.get(pk=study.pk), file, pages)
            file.flush()
            os.fsync(file.fileno())
            file.seek(0)
            sha256, size = hashlib.file_digest(file, "sha256").hexdigest(), os.fstat(file.fileno()).st_size
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    detail = {"name": path.name, "sha256": sha256, "bytes": size, "judgements": judgements}
    record(study, EXPORT_BUNDLE, actor=actor, **detail)
    return Bundle(path, path.name, sha256, size)


@contextmanager
def one_snapshot() -> Iterator[None]:
    """Let all reads within see the database as it is at the first of them, whatever comes in meanwhile."""
    is_outermost = not connection.in_atomic_block
    with transaction.atomic():
        if is_outermost:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        yield


def _write(study: Study, file: IO[bytes], pages: Pages) -> int:
    """Write all members. Returns the number of judgements, those that do not count included."""
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        writer = _Writer(archive)
        judgements = Path(folder) / JUDGEMENTS
        with judgements.open("wb") as table:
            table.writelines(FILES[JUDGEMENTS].pieces(Source(study)))
        rows, written = _analyse(study, judgements)
        source = Source(study, written)
        writer.add(JUDGEMENTS, _chunks(judgements))
        for each in FILES.values():
            if each.name not in (JUDGEMENTS, FIGURES):
                writer.add(each.name, each.pieces(source))
        for name, drawn in figures(source):
            writer.add(f"figures/{name}", iter([drawn]))
        for name, lines in _own_files(study):
            writer.add(name, (line.encode() for line in lines))
        shown = 0
        for page in pages(study):
            writer.add(f"pages/{page.name}", iter([page.content]))
            shown += page.name.startswith("comparison-")
        writer.add("README.md", iter([readme(source, judgements=rows, pages=shown).encode()]))
        writer.finish()
    return rows


def _own_files(study: Study) -> Iterator[tuple[str, Iterator[str]]]:
    yield "study.json", study_json(study)
    yield "frozen.jsonl", frozen_jsonl(study)
    yield "exclusions.csv", exclusions_csv(study)
    yield "trail.jsonl", trail_jsonl(study)
    yield "versions.json", iter([json_document(_versions())])


def _analyse(study: Study, judgements: Path) -> tuple[int, Written]:
    """Compute the report from the very file that is in the bundle."""
    try:
        table = read_csv(judgements, strata=STRATA)
        return len(table), Written(reports.report_on(study, table))
    except ResultsError as problem:
        return 0, Written(None, problem.user_message)


def _blocks(pieces: Iterator[bytes], size: int = 1 << 16) -> Iterator[bytes]:
    """The same bytes in larger pieces, for every one of them costs a call of the compressor."""
    held: list[bytes] = []
    for piece in pieces:
        held.append(piece)
        if len(held) >= 256 or len(piece) >= size:
            yield b"".join(held)
            held.clear()
    yield b"".join(held)


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            yield chunk


def _versions() -> dict[str, object]:
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        (postgresql,) = cursor.fetchone() or ("",)
        cursor.execute("SELECT name FROM django_migrations WHERE app = 'annotation' ORDER BY id DESC LIMIT 1")
        (schema,) = cursor.fetchone() or ("",)
    packages = {name: metadata.version(name) for name in PACKAGES}
    return {
        "report": reports.REPORT_VERSION,
        "postgresql": postgresql,
        "schema": schema,
        "packages": packages,
        **versions(),
    }


class _Writer:
    """Adds members with one fixed time each, and their checksums at the end."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._sums: list[str] = []

    def add(self, name: str, pieces: Iterator[bytes]) -> None:
        digest = hashlib.sha256()
        with self._archive.open(member(name), "w", force_zip64=True) as file:
            for block in _blocks(pieces):
                digest.update(block)
                file.write(block)
        self._sums.append(f"{digest.hexdigest()}  {name}\n")

    def finish(self) -> None:
        """Write the checksums of all members, as `sha256sum --check` reads them."""
        self._archive.writestr(member(CHECKSUMS), "".join(sorted(self._sums, key=lambda line: line[66:])))
