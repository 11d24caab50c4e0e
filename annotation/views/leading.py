"""Lead a person to the page of the step at which they belong: the one place that knows the steps' addresses."""

from django.http import HttpResponseRedirect
from django.shortcuts import redirect

from annotation.flow import Step
from annotation.services.annotators import Standing

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
