"""The figures of the results page as pictures that stand alone: one by one, and in one zip."""

import io
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime

from django.db.models import Max

from annotation.models import Study
from annotation.services.exports.judgements import judgements_of
from annotation.services.exports.report_files import Source
from annotation.services.exports.zip_files import member
from annotation.services.figures import figure_files


def figures(source: Source) -> Iterator[tuple[str, bytes]]:
    """Yield every figure as (file name, SVG); none where there is nothing to draw."""
    if source.report.content is None:
        return
    for name, drawn in figure_files(source.study, source.report.content, _as_of(source.study)):
        yield name, drawn.encode()


def figures_zip(source: Source) -> Iterator[bytes]:
    """Yield one zip of all of them."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, drawn in figures(source):
            archive.writestr(member(name), drawn)
    yield file.getvalue()


def _as_of(study: Study) -> datetime:
    """The moment of the newest judgement: pictures of the same judgements are the same, whenever they are made."""
    newest = judgements_of(study).aggregate(at=Max("assignment__submitted_at"))["at"]
    return newest or datetime.fromtimestamp(0, UTC)
