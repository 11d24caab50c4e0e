"""Files of a study for its researchers, sent while they are made."""

from django.http import Http404, HttpRequest, StreamingHttpResponse
from django.views.decorators.http import require_safe

from annotation.models import Study
from annotation.services.exports.files import FILES, download_name
from annotation.views.access import researcher_view


@require_safe
@researcher_view()
def download(request: HttpRequest, study: Study, name: str) -> StreamingHttpResponse:
    """Send one file, whatever its size, in pieces."""
    file = FILES.get(name)
    if file is None:
        raise Http404(f"There is no export called {name}.")
    response = StreamingHttpResponse(file.pieces(study), content_type=f"{file.content_type}; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{download_name(study, name)}"'
    response["Cache-Control"] = "private, no-store"
    return response
