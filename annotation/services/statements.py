"""Raw statements of the hot path, prepared on the server and visible to Django's query log.

The ORM builds and quotes each statement anew, and its cursor sends the values inside the text, so the server plans it
anew as well. Here the text is constant, the values travel apart, and the server keeps the plan with the connection.
"""

import time
from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
from django.db import connection


def run(statement: str, values: Sequence[Any] | Mapping[str, Any] = ()) -> psycopg.Cursor[tuple[Any, ...]]:
    """Execute one prepared statement in the current transaction. Database errors come as Django's."""
    connection.ensure_connection()
    started = time.monotonic()
    with connection.wrap_database_errors:
        cursor = psycopg.Cursor(connection.connection)
        cursor.execute(statement, values, prepare=True)
    if connection.queries_logged:
        connection.queries_log.append({"sql": statement, "time": f"{time.monotonic() - started:.3f}"})
    return cursor


def row(statement: str, values: Sequence[Any] | Mapping[str, Any] = ()) -> tuple[Any, ...] | None:
    """Execute one prepared statement and return its first row."""
    return run(statement, values).fetchone()
