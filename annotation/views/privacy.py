"""What is stored about people, for researchers: the same table as in docs/privacy.md."""

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from annotation.inventory import INVENTORY, NEVER


@require_safe
def inventory(request: HttpRequest) -> HttpResponse:
    """Show every column about people, why it is there and for how long."""
    if not request.user.is_authenticated:
        return redirect_to_login(request.get_full_path(), login_url="admin:login")
    if not request.user.is_staff:
        raise PermissionDenied
    return render(request, "console/inventory.html", {"inventory": INVENTORY, "never": NEVER})
