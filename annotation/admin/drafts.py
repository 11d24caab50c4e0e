"""Rows of a study that can be edited until the launch and are shown as they were from then on."""

from typing import Any

from django.http import HttpRequest

from annotation.admin.base import ConsoleInline
from annotation.models import Study


def is_editable(study: Study | None) -> bool:
    """Whether what people see of a study may still change."""
    return study is None or not study.is_frozen


class DraftRows:
    """What such rows allow; stands before the kind of rows in the order of the classes."""

    def has_add_permission(self, request: HttpRequest, obj: Study | None = None) -> bool:
        return is_editable(obj) and super().has_add_permission(request, obj)  # type: ignore[misc]

    def has_change_permission(self, request: HttpRequest, obj: Study | None = None) -> bool:
        return is_editable(obj) and super().has_change_permission(request, obj)  # type: ignore[misc]

    def has_delete_permission(self, request: HttpRequest, obj: Study | None = None) -> bool:
        return is_editable(obj) and super().has_delete_permission(request, obj)  # type: ignore[misc]


class DraftInline(DraftRows, ConsoleInline[Any, Study]):
    """Such rows as a table."""
