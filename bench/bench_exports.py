"""What it costs to take a study along: rows a second, and the largest memory of the process that writes the file.

    python -m bench.bench_exports --judgements 10000,100000,1000000

Each file is written by a process of its own, from the embedded PostgreSQL over a study made for it. Fails when a file
of rows needs more than 60 MB beyond what the process has before the first row, at any size.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.bench_results import verdict

ROWS = ("judgements.csv", "comparisons.csv", "responses.jsonl", "preferences.jsonl")
BUNDLE = "bundle.zip"
MOST_MB = 60


def megabytes() -> float:
    """The largest memory of this process so far. (What `resource` says includes the process that started it.)"""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024


def write(name: str, folder: Path) -> None:
    """In a process of its own: write one file of the one study, and say what it took."""
    import django

    django.setup()
    from annotation.models import Study
    from annotation.services.exports.bundle import make_bundle
    from annotation.services.exports.files import FILES, write_whole
    from annotation.services.exports.report_files import Source
    from annotation.views.snapshots import snapshots

    study = Study.objects.get()
    before, start, path = megabytes(), time.perf_counter(), folder / name
    if name == BUNDLE:
        path = make_bundle(study, folder, pages=snapshots).path
        rows = 0
    else:
        rows = _counted(path, FILES[name].pieces(Source(study)), write_whole)
    took = {"rows": rows, "seconds": time.perf_counter() - start, "before": before, "most": megabytes()}
    print(json.dumps({**took, "bytes": path.stat().st_size}))


def _counted(path: Path, pieces, write_whole) -> int:
    rows = 0

    def each():
        nonlocal rows
        for piece in pieces:
            rows += 1
            yield piece

    write_whole(path, each())
    return rows


def measure(name: str, judgements: int, folder: Path) -> bool:
    command = [sys.executable, "-W", "ignore", "-m", "bench.bench_exports", "--write", name, "--folder", str(folder)]
    took = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    more = took["most"] - took["before"]
    rate = f"{took['rows'] / took['seconds']:,.0f} rows/s, " if took["rows"] else ""
    said = (
        f"{judgements:>9,} judgements, {name:<17} {took['bytes'] / 1e6:8.1f} MB in {took['seconds']:6.1f} s: {rate}"
        f"largest memory {took['most']:.0f} MB, {more:.0f} MB more than before the first row"
    )
    return verdict(said, name == BUNDLE or more < MOST_MB)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--judgements", default="10000,100000,1000000", help="sizes of studies")
    parser.add_argument("--write", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.write:
        write(options.write, options.folder)
        return 0
    found = [bench(int(size)) for size in options.judgements.split(",")]
    return 0 if all(found) else 1


def bench(judgements: int) -> bool:
    with tempfile.TemporaryDirectory(prefix="duologue-bench-") as folder:
        from bench.bench_web import ground

        with ground(Path(folder)):
            from django.conf import settings
            from django.db import connection
            from django.utils import timezone

            from annotation.services.studies import close
            from bench.stage import Size, make_study

            study = make_study(Size(comparisons=0, stored=judgements))
            with connection.cursor() as cursor:
                # Every second person prefers the treatment, so that there are pairs to write.
                cursor.execute("UPDATE annotation_judgement SET outcome = 'treatment' WHERE assignment_id % 2 = 0")
            close(study, actor=None, now=timezone.now())
            os.environ["DATABASE_URL"] = settings.DATABASE_URL
            try:
                found = [measure(name, judgements, Path(folder)) for name in (*ROWS, BUNDLE)]
                return all(found)
            finally:
                del os.environ["DATABASE_URL"]


if __name__ == "__main__":
    sys.exit(main())
