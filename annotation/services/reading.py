"""What a reader of the results gets to see: the report they asked for, beside the choices it must be compared with."""

from dataclasses import dataclass
from datetime import datetime

from annotation.models import Study
from annotation.reporting.beside import Choice, beside_figure
from annotation.reporting.figures import Figure
from annotation.reporting.filters import EVERYONE, NO_FILTERS, Filters
from annotation.reporting.page import ReportPage, report_page
from annotation.services import reports


@dataclass(frozen=True)
class Reading:
    """A report as a page. beside: only where something is left out, by filters or by the ledger."""

    shown: reports.Shown
    page: ReportPage | None
    beside: Figure | None
    filters: Filters

    @property
    def is_filtered(self) -> bool:
        return self.filters != NO_FILTERS

    @property
    def tells_agreement(self) -> bool:
        """Whether agreement still means something: not among people chosen because they agree."""
        return self.filters.line.agreement is None

    def figure(self, key: str) -> Figure | None:
        """One figure by the name of its files."""
        own = list(self.page.figures()) if self.page else []
        return next((figure for figure in [*own, *([self.beside] if self.beside else [])] if figure.key == key), None)


def read(study: Study, filters: Filters, *, now: datetime) -> Reading:
    """Gather the report for these filters and, where something is left out, the same figures without that."""
    names = dict(study.criteria.values_list("key", "name"))
    shown = reports.show(study, filters, now=now)
    choices = _choices(study, filters, shown, now=now)
    page = report_page(shown.content, names) if shown.content else None
    beside = beside_figure(choices, names) if len(choices) > 1 and any(choice.report for choice in choices) else None
    return Reading(shown, page, beside, filters)


def _choices(study: Study, filters: Filters, shown: reports.Shown, *, now: datetime) -> list[Choice]:
    """All, then without those whom the ledger leaves out, then filtered; the first is left out where it is the next."""
    choices = []
    has_excluded = study.annotators.exclude(excluded_at=None).exists()
    if has_excluded:
        choices.append(_choice("all annotators", reports.show(study, EVERYONE, now=now)))
    plain = shown if filters == NO_FILTERS else reports.show(study, NO_FILTERS, now=now)
    choices.append(_choice("without excluded" if has_excluded else "all", plain))
    if filters != NO_FILTERS:
        choices.append(_choice("filtered", shown, tells_agreement=filters.line.agreement is None))
    return choices


def _choice(label: str, shown: reports.Shown, *, tells_agreement: bool = True) -> Choice:
    return Choice(label, shown.content, shown.reason, tells_agreement)
