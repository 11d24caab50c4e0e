"""How large a study has to be: the planner, before the launch and to look at afterwards."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from annotation.models import Study
from annotation.reporting import curves
from annotation.results.planning import StudyPlan
from annotation.results.planning_text import promise
from annotation.services import planning
from annotation.services.actors import actor_of
from annotation.views.access import researcher_view
from annotation.views.plan_form import PlanForm
from annotation.views.results import page_context


@require_safe
@never_cache
@researcher_view()
def power(request: HttpRequest, study: Study) -> HttpResponse:
    """Show what a plan promises; the plan is the address, so it can be kept and sent."""
    return _page(request, study, PlanForm(study, request.user, request.GET), status=200)


@require_POST
@researcher_view("change")
def store_power(request: HttpRequest, study: Study) -> HttpResponse:
    """Keep the plan with the study."""
    form = PlanForm(study, request.user, request.POST)
    plan = form.study_plan()
    if plan is None:
        return _page(request, study, form, status=400)
    try:
        planning.store_plan(study, plan=plan, actor=actor_of(request.user), now=timezone.now())
    except planning.PlanIsFixed as problem:
        form.add_error(None, problem.user_message)
        return _page(request, study, form, status=409)
    return redirect("power", code=study.code)


def _page(request: HttpRequest, study: Study, form: PlanForm, *, status: int) -> HttpResponse:
    plan = form.study_plan()
    stored = planning.stored_plan(study)
    context = {
        **page_context(request, study, current="power"),
        "form": form,
        "plan": plan,
        "stored": stored,
        "stored_at": parse_datetime(study.planned_power.get("planned_at", "")),
        "is_stored": plan is not None and plan == stored,
        **(_outlook(plan) if plan else {}),
    }
    return render(request, "console/power.html", context, status=status)


def _outlook(plan: StudyPlan) -> dict[str, Any]:
    """Return the promise in sentences, and both pictures with their tables."""
    outlook = plan.outlook()
    return {
        "sentences": promise(plan, outlook).split("\n"),
        "pictures": [
            {
                "title": "More comparisons or more annotators",
                "about": f"Power to find a win score of {50 + 100 * plan.effect:g} %",
                "plot": curves.by_items(plan, outlook.by_items),
                "table": curves.items_table(plan, outlook.by_items),
            },
            {
                "title": "What can be found",
                "about": "Power by the true win score, with half, all and twice the planned comparisons",
                "plot": curves.by_effect(plan, outlook.by_effect),
                "table": curves.effect_table(plan, outlook.by_effect),
            },
        ],
    }
