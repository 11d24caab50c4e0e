"""Raw statements of the hot path, prepared on the server and visible to Django's query log.

The ORM builds and quotes each statement anew, and its cursor sends the values inside the text, so the server plans it
anew as well. Here the text is constant, the values travel apart, and the server keeps the plan with the connection.
"""

import time
from collections.abc import Mapping
from typing import Any

import psycopg
from django.db import InterfaceError, OperationalError, connection
from psycopg.types.numeric import Int8


def run(statement: str, values: Mapping[str, Any]) -> psycopg.Cursor[tuple[Any, ...]]:
    """Execute one prepared statement in the current transaction. Database errors come as Django's."""
    connection.ensure_connection()
    started = time.monotonic()
    with connection.wrap_database_errors:
        # Django switches preparation off for its own cursors' sake; they bind values in the text and are not touched.
        connection.connection.prepare_threshold = 5
        cursor = psycopg.Cursor(connection.connection)
        cursor.execute(statement, {name: _of_one_type(value) for name, value in values.items()}, prepare=True)
    if connection.queries_logged:
        connection.queries_log.append({"sql": statement, "time": f"{time.monotonic() - started:.3f}"})
    return cursor


def row(statement: str, values: Mapping[str, Any]) -> tuple[Any, ...] | None:
    """Execute one prepared statement and return its first row."""
    return run(statement, values).fetchone()


def row_on_a_live_connection(statement: str, values: Mapping[str, Any]) -> tuple[Any, ...] | None:
    """Read the first row, on a new connection where the database was restarted under the one at hand.

    For the first statement of a request, which only reads: it may run twice. A pool hands out as many dead connections
    as it holds before it notices.
    """
    for _ in range(_POOLED_AT_THE_MOST):
        try:
            return row(statement, values)
        except (OperationalError, InterfaceError):
            if connection.in_atomic_block or connection.is_usable():
                raise
            connection.close()
    return row(statement, values)


_POOLED_AT_THE_MOST = 16


def _of_one_type(value: Any) -> Any:
    """Widen numbers: psycopg sends each as the smallest type that holds it, and prepares a statement per type."""
    if isinstance(value, int):
        return Int8(value)
    return [_of_one_type(part) for part in value] if isinstance(value, list) else value
