"""The report of a study: made when somebody looks, kept until the judgements change, made aside when it is large."""

import hashlib
import json
import logging
import time
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from celery import current_app
from django.db.models import Count, Max, Q
from kombu.exceptions import OperationalError

from annotation.models import Assignment, Judgement, StoredReport, Study
from annotation.results.errors import ResultsError
from annotation.results.load import STRATA, load_table
from annotation.results.sample import prepare
from annotation.results.settings import Settings
from annotation.results.summary import analyse
from annotation.schedule import REPORT_TASK
from annotation.services.exports.judgements import JudgementRow
from annotation.states import AssignmentState, ComparisonKind, StudyState
from inference_worker.schema import DEFAULT_QUEUE

logger = logging.getLogger(__name__)

# Above this many judgements a report takes seconds, so the default worker makes it and the page shows the last one.
COMPUTED_AT_ONCE = 50_000

# Change it when the figures of a report change, so that stored ones are made again.
REPORT_VERSION = 3


@dataclass(frozen=True)
class Filters:
    """What a reader leaves out of a report, beyond what the study's own ledger excludes."""

    exclude_annotators: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    since: str = ""
    until: str = ""

    @classmethod
    def from_json(cls, written: dict[str, Any]) -> "Filters":
        """The filters of a message."""
        lists = {name: tuple(written[name]) for name in ("exclude_annotators", "kinds")}
        return cls(**lists, since=written["since"], until=written["until"])

    @property
    def sha256(self) -> str:
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()

    @property
    def words(self) -> tuple[str, ...]:
        """The filters as the report writes them down."""
        said = {
            "without annotators": ", ".join(self.exclude_annotators),
            "only dialogues of the kinds": ", ".join(self.kinds),
            "submitted from": self.since,
            "submitted until": self.until,
        }
        return tuple(f"{what} {which}" for what, which in said.items() if which)

    def keeps(self, row: JudgementRow) -> bool:
        """Whether a row of the export is within the kinds and days; annotators are left out by the analysis."""
        day = row.submitted_at[:10]
        is_kind = not self.kinds or row.dialogue_kind in self.kinds
        return is_kind and (not self.since or day >= self.since) and (not self.until or day <= self.until)


NO_FILTERS = Filters()


@dataclass(frozen=True)
class Shown:
    """What a page has to show: a report or the reason why there is none, of when, and whether a newer one is coming."""

    content: dict[str, Any] | None
    reason: str
    computed_at: datetime | None
    is_current: bool


def show(study: Study, filters: Filters = NO_FILTERS, *, now: datetime) -> Shown:
    """Return the newest report. A large one that is out of date is ordered, and the last one shown meanwhile."""
    stored = show_stored(study, filters)
    if stored.is_current:
        return stored
    if Judgement.objects.filter(assignment__comparison__study=study).count() <= COMPUTED_AT_ONCE:
        return _shown(compute(study, filters, now=now), is_current=True)
    _order(study, filters)
    return stored


def show_stored(study: Study, filters: Filters) -> Shown:
    """Return the report that is kept, current or not, without computing anything."""
    stored = StoredReport.objects.filter(study=study, filters_sha256=filters.sha256).first()
    if stored is None:
        return Shown(None, "The report is being computed. This page shows it in a minute.", None, is_current=False)
    return _shown(stored, is_current=stored.fingerprint == fingerprint(study))


def _order(study: Study, filters: Filters) -> None:
    """Ask the default worker for the report. Without a broker the page keeps what it has; the next look asks again."""
    try:
        current_app.send_task(REPORT_TASK, args=[study.pk, asdict(filters)], queue=DEFAULT_QUEUE, retry=False)
    except (OperationalError, OSError) as problem:
        logger.warning("The broker does not take the order for a report: %s", problem)


def compute(study: Study, filters: Filters = NO_FILTERS, *, now: datetime) -> StoredReport:
    """Make the report and keep it; safe to do twice."""
    started = time.monotonic()
    print_ = fingerprint(study)
    content, reason = None, ""
    try:
        content = make_report(study, filters)
    except ResultsError as problem:
        reason = problem.user_message
    stored, _ = StoredReport.objects.update_or_create(
        study=study,
        filters_sha256=filters.sha256,
        defaults={
            "fingerprint": print_,
            "content": content,
            "reason": reason,
            "seconds": time.monotonic() - started,
            "computed_at": now,
        },
    )
    return stored


def make_report(study: Study, filters: Filters = NO_FILTERS) -> dict[str, Any]:
    """Analyse the judgements of a study as they are now. Raises ResultsError when nothing can be analysed."""
    table = load_table(study, keep=filters.keeps)
    sample = prepare(table, exclude_annotators=filters.exclude_annotators)
    return analyse(sample, settings_of(study, filters)).to_json()


def settings_of(study: Study, filters: Filters = NO_FILTERS) -> Settings:
    """Return what the study asks of an analysis: the band while it runs, its margin, its strata."""
    is_open = study.state in (StudyState.RUNNING, StudyState.PAUSED)
    main = Q(kind=ComparisonKind.MAIN, excluded_at=None)
    planned = study.comparisons.filter(main).values("matchup").annotate(n=Count("pk")).aggregate(most=Max("n"))["most"]
    return Settings(
        seed=study.seed,
        exclude_annotators=filters.exclude_annotators,
        margin=study.margin,
        strata=STRATA,
        planned_items=planned if is_open else None,
        judgements_per_item=study.judgements_per_comparison if is_open else None,
        filters=filters.words,
    )


def fingerprint(study: Study) -> str:
    """Name everything that a report depends on: another answer, exclusion, correction or state gives another name."""
    judgements = Judgement.objects.filter(assignment__comparison__study=study).aggregate(n=Count("pk"), last=Max("pk"))
    states = Assignment.objects.filter(comparison__study=study).aggregate(
        counted=Count("pk", filter=Q(state=AssignmentState.SUBMITTED))
    )
    excluded = study.annotators.aggregate(n=Count("excluded_at"), last=Max("excluded_at"))
    event = study.events.aggregate(last=Max("pk"))["last"]
    parts = [REPORT_VERSION, study.state, judgements["n"], judgements["last"], states["counted"]]
    return "/".join(map(str, [*parts, excluded["n"], excluded["last"], event]))


def _shown(stored: StoredReport, *, is_current: bool) -> Shown:
    return Shown(stored.content, stored.reason, stored.computed_at, is_current)
