"""The report of a study: made when somebody looks, kept until the judgements change, made aside when it is large."""

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from celery import current_app
from django.conf import settings as site
from django.db import transaction
from django.db.models import Count, F, Max, Q
from kombu.exceptions import OperationalError

from annotation.models import Assignment, Judgement, StoredReport, Study
from annotation.reporting.filters import NO_FILTERS, Filters
from annotation.results.data import Sample
from annotation.results.errors import EmptyTable, ResultsError
from annotation.results.load import STRATA, Loaded, load
from annotation.results.quality import fast_seconds, quality_table, repeats_by_annotator
from annotation.results.sample import prepare
from annotation.results.settings import Settings
from annotation.results.summary import analyse, as_json
from annotation.results.table import Table
from annotation.schedule import REPORT_TASK
from annotation.services.golds import gold_of
from annotation.services.trail import ERASE, EXPORT_VERBS
from annotation.states import AssignmentState, ComparisonKind, StudyState
from inference_worker.schema import DEFAULT_QUEUE

logger = logging.getLogger(__name__)

# Change it when the figures of a report change, so that stored ones are made again.
REPORT_VERSION = 5

NOTHING_YET = "Nobody has judged a comparison yet."
NOTHING_LEFT = "No judgement is within these kinds and days."

# An order that nobody has answered for so long is lost and given again.
ORDER_LASTS = timedelta(minutes=10)
# A large report is made again after this many times the seconds that it took, so that the worker has other time too.
REST = 10
# Filters are tried out: so many reports of a study are kept beside the one of all its judgements.
FILTERED_KEPT = 20


@dataclass(frozen=True)
class Shown:
    """What a page has to show: a report or the reason why there is none, of when, and whether a newer one is coming.

    people: every annotator's figures, those left out included, and what they are measured by.
    """

    content: dict[str, Any] | None
    reason: str
    computed_at: datetime | None
    is_current: bool
    people: dict[str, Any]
    fingerprint: str = ""


@dataclass(frozen=True)
class Made:
    """A report, or why there is none, and the figures of everybody who judged."""

    content: dict[str, Any] | None
    reason: str
    people: dict[str, Any]


def show(study: Study, filters: Filters = NO_FILTERS, *, now: datetime) -> Shown:
    """Return the newest report. A large one that is out of date is ordered, and the last one shown meanwhile."""
    stored = show_stored(study, filters)
    if stored.is_current:
        return stored
    if Judgement.objects.filter(assignment__comparison__study=study).count() <= site.REPORT_COMPUTED_AT_ONCE:
        return _shown(compute(study, filters, now=now), is_current=True)
    _order(study, filters, now=now)
    return stored


def show_stored(study: Study, filters: Filters) -> Shown:
    """Return the report that is kept, current or not, without computing anything."""
    stored = StoredReport.objects.filter(study=study, filters_sha256=filters.sha256).first()
    if stored is None or stored.computed_at is None:
        return Shown(None, "The report is being computed. This page shows it in a minute.", None, False, {})
    return _shown(stored, is_current=stored.fingerprint == fingerprint(study))


def _order(study: Study, filters: Filters, *, now: datetime) -> None:
    """Ask the default worker for the report, once. Without a broker the page keeps what it has; a later look asks."""
    stored, _ = StoredReport.objects.get_or_create(study=study, filters_sha256=filters.sha256)
    if stored.computed_at and now < stored.computed_at + timedelta(seconds=REST * stored.seconds):
        return
    unordered = Q(ordered_at=None) | Q(ordered_at__lt=now - ORDER_LASTS)
    mine = StoredReport.objects.filter(unordered, pk=stored.pk)
    if not mine.update(ordered_at=now):
        return
    try:
        current_app.send_task(REPORT_TASK, args=[study.pk, filters.to_json()], queue=DEFAULT_QUEUE, retry=False)
    except (OperationalError, OSError) as problem:
        logger.warning("The broker does not take the order for a report: %s", problem)
        StoredReport.objects.filter(pk=stored.pk).update(ordered_at=None)


def compute(study: Study, filters: Filters = NO_FILTERS, *, now: datetime) -> StoredReport:
    """Make the report and keep it; safe to do twice. It is made again where somebody is erased meanwhile."""
    started = time.monotonic()
    while True:
        erased, print_ = _erasures(study), fingerprint(study)
        made = _make(study, filters)
        figures = {"content": made.content, "reason": made.reason, "people": made.people, "fingerprint": print_}
        times = {"seconds": time.monotonic() - started, "computed_at": now, "ordered_at": None}
        if stored := _keep(study, filters, figures | times, erased=erased):
            return stored


@transaction.atomic
def _keep(study: Study, filters: Filters, values: Mapping[str, Any], *, erased: int) -> StoredReport | None:
    """Keep a report that was made when so many people were erased; None, and nothing kept, if they are more by now.

    An erasure holds the same row of the study from before it empties the reports until it is done. So either it is seen
    here, or it sees what is kept here.
    """
    Study.objects.select_for_update(no_key=True).get(pk=study.pk)
    if _erasures(study) != erased:
        return None
    stored, _ = StoredReport.objects.update_or_create(study=study, filters_sha256=filters.sha256, defaults=values)
    _forget_old_filters(study)
    return stored


def _erasures(study: Study) -> int:
    return study.events.filter(verb=ERASE).count()


def _forget_old_filters(study: Study) -> None:
    filtered = study.reports.exclude(filters_sha256=NO_FILTERS.sha256)
    old = filtered.order_by(F("computed_at").desc(nulls_last=True)).values_list("pk", flat=True)[FILTERED_KEPT:]
    StoredReport.objects.filter(pk__in=list(old)).delete()


def make_report(study: Study, filters: Filters = NO_FILTERS) -> dict[str, Any]:
    """Analyse the judgements of a study as they are now. Raises ResultsError when nothing can be analysed."""
    loaded = load(study, keep=filters.keeps)
    return _report(study, filters, loaded, _people(study, loaded))


def report_on(study: Study, table: Table) -> dict[str, Any]:
    """Analyse the judgements as an export has them. Raises ResultsError when nothing can be analysed."""
    return analyse(prepare(table), settings_of(study), gold=gold_of(study)).to_json()


def _make(study: Study, filters: Filters) -> Made:
    people: dict[str, Any] = {}
    try:
        loaded = load(study, keep=filters.keeps)
    except EmptyTable:
        return Made(None, NOTHING_LEFT if filters.words else NOTHING_YET, people)
    try:
        people = _people(study, loaded)
        return Made(_report(study, filters, loaded, people), "", people)
    except ResultsError as problem:
        return Made(None, problem.user_message, people)


def _report(study: Study, filters: Filters, loaded: Loaded, people: Mapping[str, Any]) -> dict[str, Any]:
    """The report on what the filters leave. The quality line is drawn on the figures of the same kinds and days."""
    table = loaded.of_everyone if filters.with_excluded else loaded.table
    below = filters.line.below(people["annotators"])
    sample = prepare(table, exclude_annotators=below)
    settings = replace(settings_of(study), exclude_annotators=below, filters=filters.words)
    return analyse(sample, settings, gold=gold_of(study)).to_json()


def _people(study: Study, loaded: Loaded) -> dict[str, Any]:
    """Everybody's figures, people whom the ledger leaves out included: a decision must be open to a second look."""
    return people_of(prepare(loaded.of_everyone), gold_of(study))


def people_of(sample: Sample, gold: Mapping[str, tuple[int, int]]) -> dict[str, Any]:
    """The table of annotators as JSON, with what they are measured by."""
    repeats = repeats_by_annotator(sample)
    rows = [
        {**as_json(row), "repeats": as_json(repeats.get(row.annotator))}
        for row in quality_table(sample.main, gold=gold)
    ]
    return {"annotators": rows, "fast_seconds": fast_seconds(sample.main)}


def settings_of(study: Study) -> Settings:
    """Return what the study asks of an analysis: the band while it runs, its margin, its strata."""
    is_open = study.state in (StudyState.RUNNING, StudyState.PAUSED)
    main = Q(kind=ComparisonKind.MAIN, excluded_at=None)
    planned = study.comparisons.filter(main).values("matchup").annotate(n=Count("pk")).aggregate(most=Max("n"))["most"]
    return Settings(
        seed=study.seed,
        margin=study.margin,
        strata=STRATA,
        planned_items=planned if is_open else None,
        judgements_per_item=study.judgements_per_comparison if is_open else None,
    )


def fingerprint(study: Study) -> str:
    """Name everything that a report depends on: another answer, exclusion, correction or state gives another name."""
    judgements = Judgement.objects.filter(assignment__comparison__study=study).aggregate(n=Count("pk"), last=Max("pk"))
    states = Assignment.objects.filter(comparison__study=study).aggregate(
        counted=Count("pk", filter=Q(state=AssignmentState.SUBMITTED)), corrected=Max("corrected_at")
    )
    excluded = study.annotators.aggregate(n=Count("excluded_at"), last=Max("excluded_at"))
    event = study.events.exclude(verb__in=EXPORT_VERBS).aggregate(last=Max("pk"))["last"]
    parts = [REPORT_VERSION, study.state, judgements["n"], judgements["last"], states["counted"], states["corrected"]]
    return "/".join(map(str, [*parts, excluded["n"], excluded["last"], event]))


def _shown(stored: StoredReport, *, is_current: bool) -> Shown:
    return Shown(stored.content, stored.reason, stored.computed_at, is_current, stored.people or {}, stored.fingerprint)
