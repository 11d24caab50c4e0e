"""Personal invitations of a study: make them, take the list away, revoke one."""

import csv
import io

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from annotation.errors import DuologueError
from annotation.forms import InvitationsForm
from annotation.models import Study
from annotation.services import invitations
from annotation.services.actors import actor_of
from annotation.services.recruiting import recruitment_of
from annotation.services.trail import record
from annotation.views.access import researcher_view


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@researcher_view("change")
def invite(request: HttpRequest, study: Study) -> HttpResponse:
    """Show the invitations of a study, and make more of them."""
    form = InvitationsForm(request.POST or None)
    if form.is_valid():
        number, days = form.cleaned_data["number"], form.cleaned_data["days"]
        try:
            invitations.invite(study, number, days=days, actor=actor_of(request.user), now=timezone.now())
        except DuologueError as error:
            messages.error(request, error.user_message)
        else:
            messages.success(request, f"{number} invitations are made. Download the list and send each person a link.")
        return redirect("invitations", code=study.code)
    context = {
        "study": study,
        "form": form,
        "letters": list(invitations.letters(study, now=timezone.now())),
        "is_in_use": recruitment_of(study).platform == "invitation",
    }
    return render(request, "console/invitations.html", context, status=422 if request.method == "POST" else 200)


@never_cache
@require_POST
@researcher_view("change")
def send_list(request: HttpRequest, study: Study) -> HttpResponse:
    """Return the links as CSV. A POST, for whoever holds a link can take part with it: it leaves an event."""
    out = io.StringIO()
    rows = csv.writer(out)
    rows.writerow(["number", "link", "state", "expires"])
    for letter in invitations.letters(study, now=timezone.now()):
        link = request.build_absolute_uri(letter.path)
        rows.writerow([letter.invitation.number, link, letter.state, f"{letter.invitation.expires_at:%Y-%m-%d %H:%M}"])
    record(study, "download invitations", actor=actor_of(request.user))
    response = HttpResponse(out.getvalue(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="invitations-{study.pk}.csv"'
    return response


@require_POST
@researcher_view("change")
def revoke(request: HttpRequest, study: Study, number: int) -> HttpResponse:
    """Make one link invalid."""
    invitation = get_object_or_404(study.invitations, number=number)
    if invitations.revoke(invitation, actor=actor_of(request.user), now=timezone.now()):
        messages.success(request, f"The link of invitation {number} is not valid any more.")
    return redirect("invitations", code=study.code)
