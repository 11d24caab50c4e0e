"""Recompute the report of a study bundle from the judgements in it, and compare every figure."""

import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from annotation.results.errors import UnreadableFile
from annotation.results.sample import prepare
from annotation.results.settings import Settings
from annotation.results.summary import Report, analyse
from annotation.results.table import read_text

JUDGEMENTS = "judgements.csv"
REPORT = "report.json"

# Where another machine adds in another order, the last digits of a double may differ; more than this is a difference.
SAME_TO = 1e-9

# Not figures: they tell of the machine that computed.
PROVENANCE = ("versions",)


@dataclass(frozen=True)
class Comparison:
    """Figures of a recomputed report against the written one."""

    report: Report
    figures: int
    exact: int
    differences: tuple[str, ...]

    @property
    def sentence(self) -> str:
        if self.differences:
            shown = "\n".join(f"  {difference}" for difference in self.differences[:20])
            return f"{len(self.differences)} of {self.figures} figures of the report differ:\n{shown}"
        if self.exact == self.figures:
            return f"All {self.figures} figures of the report were recomputed and are equal to the last digit."
        return (
            f"All {self.figures} figures of the report were recomputed; {self.exact} are equal to the last digit, the "
            "others to nine digits, as this machine's arithmetic adds in another order."
        )


def is_bundle(path: Path) -> bool:
    return path.is_file() and zipfile.is_zipfile(path)


def recompute(path: Path) -> Comparison:
    """Analyse the bundle's judgements as its report was made. Raises: UnreadableFile for a zip that is no bundle."""
    with zipfile.ZipFile(path) as bundle:
        judgements, written = _member(bundle, JUDGEMENTS), _member(bundle, REPORT)
        try:
            report = json.loads(bundle.read(written))
            settings = Settings.from_json(report["settings"])
        except (ValueError, KeyError, TypeError) as error:
            raise UnreadableFile(f"{path} holds no report that can be read: {written} is damaged ({error}).") from error
        table = read_text(
            lambda: io.TextIOWrapper(bundle.open(judgements), encoding="utf-8", newline=""), strata=settings.strata
        )
        recomputed = analyse(
            prepare(table, exclude_annotators=settings.exclude_annotators), settings, gold=_gold(report)
        )
    return compare(recomputed, report)


def _member(bundle: zipfile.ZipFile, name: str) -> str:
    """The file of that name, at the top or in a folder of the zip."""
    found = [member for member in bundle.namelist() if member.rsplit("/", 1)[-1] == name]
    if not found:
        raise UnreadableFile(f"{bundle.filename} is no study bundle: it has no {name}.")
    return min(found, key=len)


def _gold(report: dict[str, Any]) -> dict[str, tuple[int, int]]:
    """Answers to gold comparisons are not among the judgements; the report has their counts."""
    rows = {row["annotator"]: row.get("gold") for row in report.get("annotators", [])}
    return {name: (gold["correct"], gold["asked"]) for name, gold in rows.items() if gold}


def compare(recomputed: Report, written: dict[str, Any]) -> Comparison:
    """Every number, word and count of two reports, apart from the versions they were made with.

    What stands beside the report's own keys in the file (the study's name, say) is no figure and is left alone.
    """
    own = json.loads(json.dumps(recomputed.to_json()))
    mine = dict(_leaves(own))
    theirs = dict(_leaves({key: value for key, value in written.items() if key in own}))
    differences = [
        f"{place}: {theirs.get(place, 'absent')!r} written, {mine.get(place, 'absent')!r} recomputed"
        for place in sorted(mine.keys() | theirs.keys())
        if not _equal(mine.get(place, "absent"), theirs.get(place, "absent"))
    ]
    exact = sum(place in theirs and mine[place] == theirs[place] for place in mine)
    return Comparison(recomputed, len(mine.keys() | theirs.keys()), exact, tuple(differences))


def _equal(mine: object, theirs: object) -> bool:
    if isinstance(mine, float) and isinstance(theirs, float):
        return abs(mine - theirs) <= SAME_TO * max(abs(mine), abs(theirs), 1.0)
    return mine == theirs


def _leaves(value: object, place: str = "") -> Iterator[tuple[str, object]]:
    """Every number or word with the path that leads to it."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if place or key not in PROVENANCE:
                yield from _leaves(inner, f"{place}.{key}" if place else str(key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _leaves(inner, f"{place}[{index}]")
    else:
        yield place, value
