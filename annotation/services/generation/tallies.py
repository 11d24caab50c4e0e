"""Keep each run's tallies in step with its units, and end runs that have nothing left to do."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from django.db import connection
from django.db.models import F, Q

from annotation.models import GenerationRun, GenerationUnit, RunCount, RunTally
from annotation.states import RunState

Key = tuple[int, str, int]
Finding = tuple[int, str, str]

_COUNT = """
INSERT INTO annotation_runcount (run_id, subject, value, count) VALUES (%s, %s, %s, %s)
ON CONFLICT (run_id, subject, value) DO UPDATE SET count = annotation_runcount.count + EXCLUDED.count
"""


@dataclass
class Tallies:
    """Changes of counts, gathered while units move and written once, in a fixed order: writers never deadlock."""

    changes: dict[Key, Counter[str]] = field(default_factory=dict)
    findings: Counter[Finding] = field(default_factory=Counter)

    def add(self, unit: GenerationUnit, **counts: int) -> None:
        """Count for the run, stage and model of this unit, e.g. `add(unit, done=1)`."""
        self.add_to((unit.run_id, unit.stage, unit.model_id), **counts)

    def add_to(self, key: Key, **counts: int) -> None:
        # Counter.update adds, also below zero.
        self.changes.setdefault(key, Counter()).update(counts)

    def found(self, run: int, subject: RunCount.Subject, value: str) -> None:
        """Count an outcome or a flag."""
        self.findings[run, subject.value, value] += 1

    def write(self, *, now: datetime) -> None:
        """Apply the changes inside the caller's transaction."""
        for (run, stage, model), counts in sorted(self.changes.items()):
            changed = {name: F(name) + count for name, count in counts.items() if count}
            if changed and not RunTally.objects.filter(run_id=run, stage=stage, model_id=model).update(**changed):
                RunTally.objects.create(run_id=run, stage=stage, model_id=model, **counts)
        with connection.cursor() as cursor:
            cursor.executemany(_COUNT, [(*finding, count) for finding, count in sorted(self.findings.items())])
        finish_runs({run for run, _, _ in self.changes}, now=now)
        self.findings.clear()
        self.changes.clear()


def finish_runs(runs: Iterable[int], *, now: datetime) -> int:
    """End the running ones of these runs in which every unit has ended; return how many."""
    unfinished = RunTally.objects.filter(
        Q(total__gt=F("done") + F("failed") + F("cancelled")), run_id__in=list(runs)
    ).values("run_id")
    return (
        GenerationRun.objects.filter(pk__in=list(runs), state=RunState.RUNNING)
        .exclude(pk__in=unfinished)
        .update(state=RunState.DONE, finished_at=now)
    )
