"""Pages at the end of a part: how it ended, and the way back to the platform."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from annotation.models import Annotator, Study
from annotation.platforms import PLATFORMS
from annotation.services import recruiting
from annotation.services.faces import read_face
from annotation.states import Exit


def show_exit(request: HttpRequest, study: Study, how: Exit, *, has_left: bool = True) -> HttpResponse:
    """Show an exit to somebody of whom nothing is stored. Without `has_left` it shows no code and no way back."""
    context = exit_context(study, how) if has_left else {"how": how}
    return render(request, "annotator/exit.html", {"face": read_face(study), **context})


def exit_context(study: Study, how: Exit, annotator: Annotator | None = None) -> dict[str, Any]:
    """Return what a page says about an exit: where it leads, with which code, and to which platform."""
    recruitment = recruiting.recruitment_of(study)
    code = annotator.completion_code if annotator else ""
    is_known = annotator is not None or recruitment.platform not in {"open", "invitation"}
    return {
        "how": how,
        "platform": recruitment.platform,
        "platform_name": PLATFORMS[recruitment.platform].name,
        "way": recruiting.way_out(study, how, code) if is_known else None,
    }
