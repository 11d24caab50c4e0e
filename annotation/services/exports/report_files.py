"""The report as files: every figure as JSON, and its tables as Markdown and LaTeX."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.utils import timezone

from annotation.models import Study
from annotation.reporting.filters import NO_FILTERS
from annotation.reporting.latex import as_latex
from annotation.reporting.markdown import as_markdown
from annotation.reporting.paper import Paper, write_paper
from annotation.services import generation, reports
from annotation.services.exports.json_files import json_document

type Json = dict[str, Any]


@dataclass(frozen=True)
class Written:
    """The figures of a study, or the reason why there are none."""

    content: Json | None
    reason: str = ""


class Source:
    """A study whose files are made, and its report, which several of them share and which is computed once."""

    def __init__(self, study: Study, report: Written | None = None) -> None:
        self.study = study
        self._given = report

    @cached_property
    def report(self) -> Written:
        """The current report: the one that is kept, if nothing has changed since."""
        if self._given:
            return _settled(self._given)
        kept = reports.show_stored(self.study, NO_FILTERS)
        if kept.is_current:
            return _settled(Written(kept.content, kept.reason))
        made = reports.compute(self.study, now=timezone.now())
        return _settled(Written(made.content, made.reason))


def _settled(written: Written) -> Written:
    """Put keys in one order: those of a kept report come back from the database in another one."""
    return Written(json.loads(json.dumps(written.content, sort_keys=True)), written.reason)


def report_json(source: Source) -> Iterator[str]:
    """Yield the figures, all of them, with the study they are of; without figures, why there are none."""
    written, study = source.report, source.study
    head = {
        "study": {
            "name": study.name,
            "code": str(study.code),
            "state": study.state,
            "is_rehearsal": study.is_rehearsal,
            "frozen_sha256": study.frozen_sha256,
            "notes": {agent.name: note for agent, note in generation.notes_of(study)},
        }
    }
    figures = {"reason": written.reason} if written.content is None else written.content
    yield json_document(head | figures)


def report_markdown(source: Source) -> Iterator[str]:
    """Yield the tables of the results page, and the sentence above them, as Markdown."""
    yield as_markdown(paper_of(source))


def report_latex(source: Source) -> Iterator[str]:
    """Yield the same tables to be put into a paper."""
    yield as_latex(paper_of(source))


def paper_of(source: Source) -> Paper:
    """Return the report as a document, also where all it can say is why there are no figures."""
    study, written = source.study, source.report
    title = f"{study.name}: results" + (" of a rehearsal" if study.is_rehearsal else "")
    if written.content is None:
        notes = tuple(f"{agent.name}: {note}." for agent, note in generation.notes_of(study))
        return Paper(title, notes, (), (), (written.reason,))
    names = dict(study.criteria.values_list("key", "name"))
    return write_paper(written.content, title=title, names=names)
