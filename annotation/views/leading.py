"""Lead a person to the page of the step at which they belong: the one place that knows the steps' addresses."""

from datetime import datetime

from django.http import HttpResponseRedirect
from django.shortcuts import redirect

from annotation.flow import Step
from annotation.services import flows
from annotation.services.annotators import Standing
from annotation.services.slots import NoWork, claim_next

PAGES = {
    Step.DEVICE: "annotator:device",
    Step.INSTRUCTIONS: "annotator:instructions",
    Step.COMPREHENSION: "annotator:comprehension",
    Step.TRAINING: "annotator:practice",
    Step.MAIN: "annotator:next",
    Step.CLOSING: "annotator:closing",
    Step.END: "annotator:finish",
}


def to_step(standing: Standing, step: Step) -> HttpResponseRedirect:
    """Redirect to a step's page."""
    return redirect(PAGES[step], study=standing.study_code)


def lead_on(standing: Standing, *, now: datetime) -> HttpResponseRedirect:
    """Answer the POST that passed a step: with the next step, or with a comparison where none is left before it."""
    if (step := flows.where(standing)) != Step.MAIN:
        return to_step(standing, step)
    flows.go_on(standing, now=now)
    following = claim_next(standing, now=now)
    if isinstance(following, NoWork):
        return to_step(standing, Step.MAIN)
    return redirect("annotator:rate", study=standing.study_code, code=following.code)
