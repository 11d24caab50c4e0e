"""A study as annotators will see it, for its researchers: drawn from the same parts, with nothing stored or counted."""

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from annotation.flow import Step, names_of_steps
from annotation.models import Study
from annotation.services import generation
from annotation.services.faces import Pair, read_face, read_pair
from annotation.services.flows import read_steps
from annotation.services.sheets import read_sheet
from annotation.views.access import researcher_view
from annotation.views.screens import draw_questions, draw_texts


@require_safe
@never_cache
@researcher_view()
def preview(request: HttpRequest, study: Study) -> HttpResponse:
    """Show what people read before they begin, and then comparison by comparison."""
    shown = study.comparisons.filter(excluded_at=None).order_by("pk").values_list("pk", flat=True)
    page = Paginator(shown, 1).get_page(request.GET.get("comparison", "1"))
    is_before = "comparison" not in request.GET
    context: dict[str, Any] = {"study": study, "face": read_face(study), "page": page, "is_before": is_before}
    context["steps"] = [step for step in names_of_steps(read_steps(study).flow) if step != Step.MAIN]
    context["agent_notes"] = generation.notes_of(study)
    if not is_before and page.object_list:
        is_flipped = request.GET.get("sides") == "swapped"
        context |= {"is_flipped": is_flipped, **_parts(study, read_pair(page.object_list[0], is_flipped=is_flipped))}
    return render(request, "console/preview.html", context)


def _parts(study: Study, pair: Pair) -> dict[str, SafeString | str]:
    """Draw the parts of the rating page; a draft may change, so nothing is taken from the annotators' cache."""
    sheet = read_sheet(study.pk)
    story, replies = draw_texts(pair, get_language() or "en")
    return {
        "story": story,
        "replies": replies,
        "questions": draw_questions(sheet.questions, sheet.rules, {}, {}),
        "warning": pair.content_warning,
    }
