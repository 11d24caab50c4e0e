"""A strict Content-Security-Policy everywhere, relaxed for the admin's own scripts alone."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.middleware.csp import ContentSecurityPolicyMiddleware
from django.utils.csp import CSP

# Unfold runs Alpine.js, which evaluates expressions, and sets style attributes. Scripts within pages run nowhere.
ADMIN_CSP = {
    "default-src": [CSP.SELF],
    "script-src": [CSP.SELF, CSP.UNSAFE_EVAL],
    "style-src": [CSP.SELF, CSP.UNSAFE_INLINE],
    "img-src": [CSP.SELF, "data:"],
    "object-src": [CSP.NONE],
    "base-uri": [CSP.NONE],
    "form-action": [CSP.SELF],
    "frame-ancestors": [CSP.NONE],
}


class ContentSecurityPolicy(ContentSecurityPolicyMiddleware):
    """Django's own middleware with one exception: pages under /admin/."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        super().__init__(get_response)

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        if request.path.startswith("/admin/"):
            # What django.views.decorators.csp.csp_override sets; the admin has many views and no place for a decorator.
            setattr(response, "_csp_config", ADMIN_CSP)  # noqa: B010
        return super().process_response(request, response)
