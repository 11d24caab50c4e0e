"""Take what a platform's link brings along off the request before anything else can write it down."""

import re
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, QueryDict

# The addresses that people come to from outside.
_ENTRANCES = re.compile(r"^/s/[0-9a-f-]{36}(/?|/enter/?|/hit/?|/hit/state/?)$")


class EntryParameters:
    """Moves the query string of an entrance to `request.entry_parameters`.

    From here on neither error pages nor logs of Django, of a view or of a library can show it: the request's own
    address has none.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.META.get("QUERY_STRING") and _ENTRANCES.match(request.path):
            brought = request.GET
            for name in ("QUERY_STRING", "REQUEST_URI", "RAW_URI"):
                if name in request.META:
                    request.META[name] = ""
            setattr(request, "GET", QueryDict())  # noqa: B010 - the type calls it read-only
            setattr(request, "entry_parameters", brought)  # noqa: B010 - no attribute of Django's type
            if not request.path.endswith("/"):
                # Django would lead on to the whole address with the parameters in it, for good.
                request.path, request.path_info = f"{request.path}/", f"{request.path_info}/"
        return self.get_response(request)


def entry_parameters(request: HttpRequest) -> dict[str, str]:
    """Return what the link brought along, the last value of each name."""
    brought: QueryDict | None = getattr(request, "entry_parameters", None)
    return {name: str(value) for name, value in brought.items()} if brought is not None else {}
