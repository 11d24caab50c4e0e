"""Analyse ratings without a database: python -m annotation.results FILE.csv, or recompute a study bundle (FILE.zip)."""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from annotation.results.bundle import is_bundle, recompute
from annotation.results.errors import ResultsError, UnwritableFile
from annotation.results.sample import prepare
from annotation.results.settings import Settings
from annotation.results.summary import Report, analyse
from annotation.results.table import read_csv
from annotation.results.text import as_text


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status: 0 analysed, 1 the bundle's files or figures differ, 2 the input or a setting is wrong."""
    options = _parser().parse_args(arguments)
    try:
        if is_bundle(options.file):
            return _recompute(options.file, options.json)
        _show(_analyse(options), options.json)
    except ResultsError as error:
        print(f"{options.file}: {error.user_message}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        # Whoever read our output has seen enough; the interpreter must not try to flush the rest.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _analyse(options: argparse.Namespace) -> Report:
    settings = Settings(
        level=options.level,
        seed=options.seed,
        resamples=options.resamples,
        exclude_annotators=tuple(options.exclude_annotator),
        margin=options.margin,
        strata=tuple(options.by),
        dawid_skene=options.dawid_skene,
    )
    table = read_csv(options.file, strata=settings.strata)
    return analyse(prepare(table, exclude_annotators=settings.exclude_annotators), settings)


def _recompute(path: Path, json_path: Path | None) -> int:
    comparison = recompute(path)
    if comparison.report is not None:
        _show(comparison.report, json_path)
    print(f"\n{comparison.checked.sentence}\n{comparison.sentence}")
    return 0 if comparison.is_whole else 1


def _show(report: Report, json_path: Path | None) -> None:
    """Raises: UnwritableFile when the JSON cannot be written."""
    if json_path:
        written = json.dumps(report.to_json(), indent=1, ensure_ascii=False, allow_nan=False)
        try:
            json_path.write_text(written + "\n", encoding="utf-8")
        except OSError as error:
            raise UnwritableFile(f"{json_path} cannot be written: {error.strerror}.") from error
    print(as_text(report))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m annotation.results", description=__doc__)
    parser.add_argument("file", type=Path, help="ratings in long format (CSV), or a study bundle (zip)")
    parser.add_argument("--json", type=Path, metavar="OUT.json", help="write every figure to this file")
    parser.add_argument("--seed", type=int, default=0, help="of the bootstrap of alpha (default 0)")
    parser.add_argument("--level", type=float, default=0.95, help="of the intervals (default 0.95)")
    parser.add_argument("--resamples", type=int, default=2000, help="of the bootstrap of alpha (default 2000)")
    parser.add_argument(
        "--exclude-annotator", action="append", default=[], metavar="ID", help="leave this annotator out (repeatable)"
    )
    parser.add_argument(
        "--margin", type=float, help="test for no difference: win score within 1/2 ± this margin, set beforehand"
    )
    parser.add_argument(
        "--by",
        action="append",
        default=[],
        metavar="COLUMN",
        help="win scores within the values of this column (repeatable)",
    )
    parser.add_argument(
        "--dawid-skene", action="store_true", help="fit the Dawid-Skene model too, as a sensitivity view"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
