"""Check the files of a study bundle, recompute its report from its judgements, and compare every figure."""

import hashlib
import io
import json
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from annotation.results.errors import ResultsError, UnreadableFile
from annotation.results.sample import prepare
from annotation.results.settings import Settings
from annotation.results.summary import Report, analyse
from annotation.results.table import Table, read_text

JUDGEMENTS = "judgements.csv"
REPORT = "report.json"
FROZEN = "frozen.jsonl"
CHECKSUMS = "SHA256SUMS"

# Where another machine adds in another order, the last digits of a double may differ; more than this is a difference.
SAME_TO = 1e-9

# Not figures: they tell of the machine that computed.
PROVENANCE = ("versions",)


@dataclass(frozen=True)
class Checked:
    """What became of a bundle's checksums: how many files are as they were, and what is wrong with others.

    None is checked where the bundle has none.
    """

    files: int = 0
    problems: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        if self.problems:
            return _listing(
                f"The files of the bundle have been changed since it was made ({len(self.problems)})", self.problems
            )
        if not self.files:
            return f"The bundle has no {CHECKSUMS}: whether its files have been changed cannot be told."
        return f"All {self.files} files of the bundle are as they were when it was made, by their checksums."


@dataclass(frozen=True)
class Comparison:
    """Figures of a recomputed report against the written one; no report where a study had nothing to analyse."""

    report: Report | None
    figures: int
    exact: int
    differences: tuple[str, ...]
    checked: Checked = field(default_factory=Checked)
    reason: str = ""

    @property
    def is_whole(self) -> bool:
        """Whether nothing differs: no file, no figure."""
        return not self.differences and not self.checked.problems

    @property
    def sentence(self) -> str:
        if self.differences:
            return _listing(f"{len(self.differences)} of {self.figures} figures of the report differ", self.differences)
        if self.report is None:
            return f"The report has no figures, and there are none to compute: {self.reason}"
        if self.exact == self.figures:
            return f"All {self.figures} figures of the report were recomputed and are equal to the last digit."
        return (
            f"All {self.figures} figures of the report were recomputed; {self.exact} are equal to the last digit, the "
            "others to nine digits, as this machine's arithmetic adds in another order."
        )


def _listing(sentence: str, problems: tuple[str, ...], most: int = 20) -> str:
    return "\n".join([f"{sentence}:", *(f"  {problem}" for problem in problems[:most])])


def is_bundle(path: Path) -> bool:
    return path.is_file() and zipfile.is_zipfile(path)


def recompute(path: Path) -> Comparison:
    """Check the bundle's files, and analyse its judgements as its report was made.

    Raises: UnreadableFile for a zip that is no bundle; other ResultsError where the judgements cannot be analysed.
    """
    with zipfile.ZipFile(path) as bundle:
        judgements, written = _member(bundle, JUDGEMENTS), _member(bundle, REPORT)
        try:
            checked = _check(bundle)
            report = json.loads(bundle.read(written))
            if "settings" not in report and report.get("reason"):
                return _without_figures(bundle, judgements, report, checked)
            settings, gold = Settings.from_json(report["settings"]), _gold(report)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise UnreadableFile(f"{path} holds no report that can be read: {written} is damaged ({error}).") from error
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
            raise UnreadableFile(f"{path} is damaged: {error}. Copy it again.") from error
        table = _table(bundle, judgements, settings.strata)
        recomputed = analyse(prepare(table, exclude_annotators=settings.exclude_annotators), settings, gold=gold)
    return replace(compare(recomputed, report), checked=checked)


def _table(bundle: zipfile.ZipFile, name: str, strata: Sequence[str]) -> Table:
    return read_text(lambda: io.TextIOWrapper(bundle.open(name), encoding="utf-8", newline=""), strata=strata)


def _without_figures(bundle: zipfile.ZipFile, judgements: str, report: dict[str, Any], checked: Checked) -> Comparison:
    """A study that had nothing to analyse: it still must have nothing."""
    try:
        prepare(_table(bundle, judgements, ()))
    except ResultsError as problem:
        return Comparison(None, 0, 0, (), checked, problem.user_message)
    found = f"report: {report['reason']!r} written, but the judgements can be analysed"
    return Comparison(None, 1, 0, (found,), checked)


def _check(bundle: zipfile.ZipFile) -> Checked:
    """Compare every file with its checksum, and what annotators saw with the hash of the launch."""
    names = [name for name in bundle.namelist() if not name.endswith("/")]
    listed = next((name for name in names if name.rsplit("/", 1)[-1] == CHECKSUMS), None)
    if listed is None:
        return Checked()
    root = listed.removesuffix(CHECKSUMS)
    sums = {root + line[66:]: line[:64] for line in bundle.read(listed).decode().splitlines() if line}
    problems = [f"{name} is missing" for name in sums if name not in names]
    problems += [f"{name} is not in {CHECKSUMS}" for name in names if name not in sums and name != listed]
    problems += [f"{name} is there more than once" for name in sorted(set(names)) if names.count(name) > 1]
    found = {name: _sha256(bundle, name) for name in sums if name in names}
    problems += [f"{name} has been changed" for name, digest in found.items() if digest != sums[name]]
    return Checked(len(sums), tuple(problems + _frozen(bundle, root, found)))


def _frozen(bundle: zipfile.ZipFile, root: str, found: Mapping[str, str]) -> list[str]:
    """What annotators saw must be what was frozen at the launch, whatever the checksums say."""
    if root + REPORT not in found or root + FROZEN not in found:
        return []
    launched = json.loads(bundle.read(root + REPORT)).get("study", {}).get("frozen_sha256")
    if not launched or found[root + FROZEN] == launched:
        return []
    return [f"{FROZEN} is not what the launch froze (SHA-256 {launched})"]


def _sha256(bundle: zipfile.ZipFile, name: str) -> str:
    with bundle.open(name) as member:
        digest = hashlib.sha256()
        while block := member.read(1 << 20):
            digest.update(block)
        return digest.hexdigest()


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
