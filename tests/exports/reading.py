"""Read exported files as other programs would."""

import csv
import io
import json

from annotation.models import Study
from annotation.services.exports.files import FILES
from annotation.services.exports.report_files import Source


def content(study: Study, name: str) -> bytes:
    return b"".join(FILES[name].pieces(Source(study)))


def csv_rows(study: Study, name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content(study, name).decode(), newline=""), strict=True))


def json_rows(study: Study, name: str) -> list[dict]:
    return [json.loads(line) for line in content(study, name).decode().splitlines()]
