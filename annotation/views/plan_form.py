"""The form of the planner: sizes, what is expected, and how much judgements vary."""

from dataclasses import replace
from typing import Any

from django import forms
from django.contrib.auth.models import AnonymousUser, User
from django.utils import timezone

from annotation.errors import DuologueError
from annotation.models import Study
from annotation.results.planning import StudyPlan, effect_of, most_demanding
from annotation.results.power import Plan, Spread
from annotation.services import planning


class PlanForm(forms.Form):
    """Everything in the words of a researcher; percent where people say percent."""

    n_items = forms.IntegerField(label="Comparisons of each matchup", min_value=2, max_value=1_000_000)
    k = forms.IntegerField(label="Judgements per comparison (k)", min_value=1, max_value=1000)
    n_annotators = forms.IntegerField(label="Annotators", min_value=2, max_value=100_000)
    win_score = forms.FloatField(
        label="Win score you expect, %", min_value=50.1, max_value=100, help_text="50 is no difference."
    )
    wanted = forms.FloatField(label="Power you want, %", min_value=6, max_value=99.9)
    tests = forms.IntegerField(
        label="Tests corrected together", min_value=1, max_value=1000, help_text="Criteria times matchups."
    )
    level = forms.FloatField(label="Level, %", min_value=51, max_value=99.99)
    pilot = forms.ModelChoiceField(
        Study.objects.none(),
        label="Take these from a pilot study",
        required=False,
        empty_label="None: my own numbers",
        to_field_name="code",
    )
    item_sd = forms.FloatField(label="Dialogues", min_value=0, max_value=0.5)
    annotator_sd = forms.FloatField(label="Annotators", min_value=0, max_value=0.5)
    rest_sd = forms.FloatField(label="Rest", min_value=0, max_value=0.5)

    def __init__(self, study: Study, user: User | AnonymousUser, data: Any = None) -> None:
        super().__init__(data or _first(study))
        self.study = study
        pilot = self.fields["pilot"]
        if isinstance(pilot, forms.ModelChoiceField):
            pilot.queryset = planning.pilot_studies(study, user=user)
        for field in self.fields.values():
            if isinstance(field, forms.FloatField):
                field.widget.attrs["step"] = "any"

    def study_plan(self) -> StudyPlan | None:
        """Return the plan, or None with the reasons among the errors."""
        if not self.is_valid():
            return None
        try:
            return self._study_plan(self.cleaned_data)
        except DuologueError as problem:
            self.add_error(None, problem.user_message)
            return None

    def _study_plan(self, said: dict[str, Any]) -> StudyPlan:
        spread = Spread(said["item_sd"], said["annotator_sd"], said["rest_sd"])
        level = round(said["level"] / 100, 6)
        plan = Plan(said["n_items"], said["k"], said["n_annotators"], spread, level, tests=said["tests"])
        source = planning.source_of(spread, self.study)
        if said["pilot"]:
            pilot = most_demanding(planning.pilots_of(said["pilot"], now=timezone.now()), plan)
            plan, source = replace(plan, spread=pilot.spread), pilot.source
        return StudyPlan(plan, effect_of(said["win_score"]), round(said["wanted"] / 100, 6), source)


def _first(study: Study) -> dict[str, Any]:
    """Fill the form from the stored plan or the study's settings."""
    asked = planning.asked_of(study)
    percents = {"wanted": f"{100 * asked['wanted']:g}", "level": f"{100 * asked['level']:g}"}
    return asked | percents | {"win_score": f"{50 + 100 * asked['effect']:g}"}
