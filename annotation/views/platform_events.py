"""Where platforms report what happens to submissions. Only what they signed is read, and no id is written down."""

import logging

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_POST

from annotation.platforms.webhooks import BadEvent, read_event
from annotation.services.platform_events import take_event

logger = logging.getLogger(__name__)

LARGEST = 64 * 1024


@csrf_exempt
@require_POST
@sensitive_variables()
def prolific(request: HttpRequest) -> HttpResponse:
    """Take one event of Prolific. 200 also for a copy: it need not be sent again."""
    now = timezone.now()
    if not request.headers.get("Content-Length", "").isdecimal() or int(request.headers["Content-Length"]) > LARGEST:
        return HttpResponse("This is too long for an event.", status=413, content_type="text/plain")
    try:
        news = read_event(request.headers, request.body, secrets=settings.PROLIFIC_WEBHOOK_SECRETS, now=now)
    except BadEvent as problem:
        logger.warning("Refused an event of Prolific: %s", problem)
        return HttpResponse(str(problem), status=403, content_type="text/plain")
    is_new = take_event("prolific", news, now=now)
    return HttpResponse("taken" if is_new else "known", content_type="text/plain")
