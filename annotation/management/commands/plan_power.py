"""Say how large a study has to be: power curves and the smallest effect it can show."""

from argparse import ArgumentParser
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from annotation.errors import DuologueError
from annotation.models import Study
from annotation.results.errors import BadSetting
from annotation.results.planning import USUAL_SPREAD, Pilot, StudyPlan, effect_of, most_demanding, pilots_in
from annotation.results.planning_text import as_text
from annotation.results.power import Plan, Spread
from annotation.results.sample import prepare
from annotation.results.summary import analyse
from annotation.results.table import read_csv
from annotation.services import planning
from annotation.services.finding import find_study

WHERE_NO_STUDY = {"k": 3, "tests": 1, "effect": 0.1, "wanted": 0.8, "level": 0.95}


class Command(BaseCommand):
    help = (
        "Print the power of a study to be, as curves in tables, and the smallest effect it can show. Sizes come from "
        "the options, or from a study; how much judgements vary is a guess, or taken from a pilot study or a CSV file."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("study", nargs="?", help="Start from this study (name or code).")
        parser.add_argument("--comparisons", type=int, dest="n_items", help="Comparisons of each matchup.")
        parser.add_argument("--k", type=int, help="Judgements of each comparison (default 3).")
        parser.add_argument("--annotators", type=int, dest="n_annotators", help="People who share the judgements.")
        parser.add_argument("--win-score", type=float, help="The win score you expect, in percent (default 60).")
        parser.add_argument("--power", type=float, dest="wanted", help="The power you want (default 0.8).")
        parser.add_argument("--level", type=float, help="Of the test (default 0.95).")
        parser.add_argument("--tests", type=int, help="Criteria times matchups, corrected together (default 1).")
        parser.add_argument("--item-sd", type=float, help="S.d. of dialogues, in units of the win score.")
        parser.add_argument("--annotator-sd", type=float, help="S.d. of annotators.")
        parser.add_argument("--rest-sd", type=float, help="S.d. of single judgements beyond these.")
        pilot = parser.add_mutually_exclusive_group()
        pilot.add_argument("--pilot", metavar="STUDY", help="Take the s.d. from this study (name or code).")
        pilot.add_argument("--csv", type=Path, metavar="FILE", help="Take the s.d. from ratings in this file.")
        parser.add_argument("--criterion", default="", help="Of the pilot (default: the one that varies most).")
        parser.add_argument("--store", action="store_true", help="Keep the plan with the study, before its launch.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            study = find_study(options["study"]) if options["study"] else None
            if options["store"] and study is None:
                raise BadSetting("Say which study the plan is to be stored with.")
            plan = _plan(_asked(options, planning.asked_of(study) if study else WHERE_NO_STUDY), study)
            self.stdout.write(as_text(plan))
            if options["store"] and study:
                planning.store_plan(study, plan=plan, actor=None, now=timezone.now())
                self.stdout.write(f"\nStored with “{study}”.")
        except DuologueError as problem:
            raise CommandError(problem.user_message) from problem


def _asked(options: dict[str, Any], known: dict[str, Any]) -> dict[str, Any]:
    """What was asked for, over what is known. Raises: BadSetting for sizes that nobody named."""
    named = {name: value for name, value in options.items() if value is not None}
    if "win_score" in named:
        named["effect"] = effect_of(named["win_score"])
    asked = {**asdict(USUAL_SPREAD), **known, **named}
    needed = {"n_items": "--comparisons", "n_annotators": "--annotators"}
    if missing := [option for name, option in needed.items() if name not in asked]:
        raise BadSetting(f"Name a study, or say how large yours is to be: {' and '.join(missing)}.")
    return asked


def _plan(asked: dict[str, Any], study: Study | None) -> StudyPlan:
    spread = Spread(asked["item_sd"], asked["annotator_sd"], asked["rest_sd"])
    sizes = {name: asked[name] for name in ("n_items", "k", "n_annotators", "level", "tests")}
    plan = Plan(**sizes, spread=spread)
    source = planning.source_of(spread, study)
    if pilots := _pilots(asked):
        pilot = most_demanding(pilots, plan, asked["criterion"])
        plan, source = replace(plan, spread=pilot.spread), pilot.source
    return StudyPlan(plan, asked["effect"], asked["wanted"], source)


def _pilots(asked: dict[str, Any]) -> list[Pilot]:
    if called := asked.get("pilot"):
        return planning.pilots_of(find_study(called), now=timezone.now())
    if path := asked.get("csv"):
        return pilots_in(analyse(prepare(read_csv(path))).to_json())
    return []
