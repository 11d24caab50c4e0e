"""Files of a study for its researchers, sent while they are made. A bundle is made first: it is whole or nothing."""

import tempfile
from pathlib import Path

from django.conf import settings
from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from annotation.models import Judgement, StoredBundle, Study
from annotation.services import reports
from annotation.services.actors import actor_of
from annotation.services.exports import stored_bundles
from annotation.services.exports.bundle import BUNDLE, make_bundle
from annotation.services.exports.files import FILES, ExportFile, download_name
from annotation.services.exports.report_files import Source
from annotation.views.access import note_download, researcher_view
from annotation.views.results import page_context
from annotation.views.snapshots import snapshots


@require_safe
@researcher_view()
def download(request: HttpRequest, study: Study, name: str) -> HttpResponseBase:
    """Send one file, whatever its size, in pieces."""
    if name == BUNDLE.name:
        return _bundle(request, study)
    file = FILES.get(name)
    if file is None:
        raise Http404(f"There is no export called {name}.")
    if file.needs_report and _waits(study):
        return _later(f"The report of this study is being computed for {file.title.lower()}. Try again in a minute.")
    note_download(request, study, name)
    return _send(study, file)


def _send(study: Study, file: ExportFile) -> StreamingHttpResponse:
    response = StreamingHttpResponse(file.pieces(Source(study)), content_type=f"{file.content_type}; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{download_name(study, file.name)}"'
    response["Cache-Control"] = "private, no-store"
    return response


def _waits(study: Study) -> bool:
    """Whether the worker makes the report, because it is large; looking at it is what orders it."""
    return not reports.show(study, now=timezone.now()).is_current


def _bundle(request: HttpRequest, study: Study) -> HttpResponseBase:
    if _is_large(study):
        return _stored_bundle(request, study)
    if request.method == "HEAD":
        return HttpResponse(content_type=BUNDLE.content_type)
    with tempfile.TemporaryDirectory() as folder:
        made = make_bundle(study, Path(folder), pages=snapshots, actor=actor_of(request.user))
        # The name goes with the folder; the open file is read to its end and is gone then.
        response = FileResponse(made.path.open("rb"), as_attachment=True, filename=made.name)
    response["Cache-Control"] = "private, no-store"
    response["X-Checksum-SHA256"] = made.sha256
    return response


def _is_large(study: Study) -> bool:
    return Judgement.objects.filter(assignment__comparison__study=study).count() > settings.REPORT_COMPUTED_AT_ONCE


def _stored_bundle(request: HttpRequest, study: Study) -> HttpResponseBase:
    """Send the bundle that the worker made, or lead to the page where it is ordered."""
    stored = stored_bundles.ready(study, now=timezone.now())
    if stored is None:
        return redirect("bundle", study.code)
    note_download(request, study, BUNDLE.name)
    response = StreamingHttpResponse(stored_bundles.pieces(stored), content_type=BUNDLE.content_type)
    response["Content-Disposition"] = f'attachment; filename="{stored.name}"'
    response["Content-Length"] = str(stored.size)
    response["Cache-Control"] = "private, no-store"
    response["X-Checksum-SHA256"] = stored.sha256
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@researcher_view()
def bundle(request: HttpRequest, study: Study) -> HttpResponse:
    """Show how far the bundle of a study is; order one where there are too many judgements to wait for it."""
    if not _is_large(study):
        return redirect("export", study.code, BUNDLE.name)
    now = timezone.now()
    if request.method == "POST":
        if not stored_bundles.order(study, actor=actor_of(request.user), now=now):
            messages.error(request, "The queue does not answer, so nothing was ordered. Try again in a minute.")
        return redirect("bundle", study.code)
    context = page_context(request, study, current="results") | {
        "stored": StoredBundle.objects.filter(study=study).first(),
        "ready": stored_bundles.ready(study, now=now),
        "limit": settings.REPORT_COMPUTED_AT_ONCE,
        "days": stored_bundles.KEPT.days,
    }
    return render(request, "console/bundle.html", context)


def _later(sentence: str) -> HttpResponse:
    return HttpResponse(f"{sentence}\n", status=409, content_type="text/plain; charset=utf-8")
