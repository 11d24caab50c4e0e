"""Draw a template once, with marks in place of what changes from request to request, and fill the marks in later.

For the one page that is served thousands of times. The marks are letters of Unicode's private use area, so that no
text collides with them and escaping leaves them alone; every value that is filled in must be safe HTML already.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from django.template.loader import get_template
from django.utils.safestring import mark_safe

_MARK = re.compile("\ue000([a-z_]+)\ue001")


class Skeleton:
    """A drawn template that waits for the values of its marks."""

    def __init__(self, template: str, context: Mapping[str, Any], marks: Iterable[str]) -> None:
        drawn = get_template(template).render({**context, **{name: _mark(name) for name in marks}})
        self.parts = _MARK.split(drawn)

    def fill(self, values: Mapping[str, object]) -> str:
        """Return the page with every mark replaced by its value."""
        parts = self.parts.copy()
        parts[1::2] = [str(values[name]) for name in parts[1::2]]
        return "".join(parts)


def _mark(name: str) -> str:
    return mark_safe(f"\ue000{name}\ue001")  # noqa: S308 - two private letters around a name of ours
