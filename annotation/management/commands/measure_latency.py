"""manage.py measure_latency STUDY: how long a person would wait for each agent in a live chat."""

import json
import sys
from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from annotation.errors import DuologueError
from annotation.models import Dialogue
from annotation.services import generation, latency
from annotation.services.comparisons import chosen_dialogues
from annotation.services.finding import find_study
from annotation.services.latency import Latency, Wait


class Command(BaseCommand):
    help = (
        "Measure how long each agent of a study takes to its first and last token, one turn at a time as in a live "
        "chat, with and without thinking first (docs/generation.md). Nothing is stored."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("study", help="The study's name, or its code as in its links.")
        parser.add_argument("--turns", type=int, default=20, help="Dialogues to answer for each agent (20).")
        parser.add_argument("--agent", action="append", default=[], help="Only this agent; may be repeated.")
        parser.add_argument(
            "--engine-python",
            default=sys.executable,
            metavar="PATH",
            help="The Python in which the engines are installed, such as .venv-engines/bin/python.",
        )
        parser.add_argument("--json", type=Path, metavar="FILE", help="Write the figures to this file too.")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["turns"] < 1:
            raise CommandError("Say how many turns to measure: --turns 1 or more.")
        try:
            agents, dialogues = self._chosen(options)
            found = []
            for each in latency.measure(agents, dialogues, python=options["engine_python"]):
                found.append(each)
                self.stderr.write(f"Measured {each.agent}, {'thinking first' if each.thinks else 'answering alone'}.")
        except DuologueError as problem:
            raise CommandError(problem.user_message) from None
        except OSError as problem:
            raise CommandError(f"{options['engine_python']} cannot be started: {problem.strerror}.") from None
        self.stdout.write("\n".join(_lines(found)))
        if options["json"]:
            options["json"].write_text(json.dumps([asdict(each) for each in found], indent=1))

    def _chosen(self, options: dict[str, Any]) -> tuple[list[Any], list[Dialogue]]:
        study = find_study(options["study"])
        agents = [agent for agent in generation.agents_of(study) if agent.responder_id]
        if options["agent"]:
            agents = [agent for agent in agents if agent.name in options["agent"]]
        if not agents:
            raise CommandError("No agent of this study writes by itself, so there is nothing to measure.")
        ids = chosen_dialogues(study)[: options["turns"]]
        dialogues = list(Dialogue.objects.filter(pk__in=ids).order_by("pk"))
        if not dialogues:
            raise CommandError("This study has no dialogues yet: choose a collection first.")
        return agents, dialogues


def _lines(found: list[Latency]) -> list[str]:
    """Return the figures, an agent's lines together."""
    lines = []
    for agent in dict.fromkeys(each.agent for each in found):
        lines += ["", agent, *(_line(each) for each in found if each.agent == agent)]
    return lines


def _line(each: Latency) -> str:
    stages = "think, respond" if each.thinks else "respond"
    failed = f", {each.failed} failed" if each.failed else ""
    waits = f"first token {_wait(each.first):<26} last token {_wait(each.last):<26}"
    return f"  {stages:<15} {waits} {each.turns} turns{failed}"


def _wait(wait: Wait | None) -> str:
    return "not told" if wait is None else f"p50 {wait.p50:.2f} s, p95 {wait.p95:.2f} s"
