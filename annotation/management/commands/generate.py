"""manage.py generate STUDY: order the responses that a study lacks, and follow the run until it ends."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from rich.console import Console

from annotation.errors import DuologueError
from annotation.management.watching import watch
from annotation.models import GenerationRun, Study
from annotation.services import generation
from annotation.services.finding import find_study
from annotation.services.generation.wording import summarise
from annotation.states import RunState


class Command(BaseCommand):
    help = "Generate the responses of a study (docs/generation.md). What is there with equal settings is kept."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("study", help="The study's name, or its code as in its links.")
        parser.add_argument("--retry-failed", action="store_true", help="Queue what failed in its last run again.")
        parser.add_argument("--no-wait", action="store_true", help="Order and leave; workers do the rest.")

    def handle(self, *args: Any, **options: Any) -> None:
        console = Console()
        try:
            study = find_study(options["study"])
            run = self._run(study, retries=options["retry_failed"])
        except DuologueError as problem:
            raise CommandError(problem.user_message) from None
        for sentence in self._waits_for(study):
            self.stdout.write(sentence)
        if not options["no_wait"]:
            self._follow(run, console)

    def _run(self, study: Study, *, retries: bool) -> GenerationRun:
        """Return the run to follow: a new one, or with `retries` the last one with its failed units queued again."""
        if not retries:
            return generation.start_run(study)
        last = study.runs.order_by("-pk").first()
        if last is None:
            raise CommandError(f"Nothing was generated for “{study}” yet, so nothing has failed.")
        self.stdout.write(f"Queued again: {generation.retry_failed(last)} failed units of run {last.pk}.")
        return last

    def _waits_for(self, study: Study) -> list[str]:
        now = timezone.now()
        served = [(agent, generation.who_serves(agent, now=now)) for agent in generation.agents_of(study)]
        return [f"{agent}: {each.sentence}" for agent, each in served if not each.is_served]

    def _follow(self, run: GenerationRun, console: Console) -> None:
        try:
            end = watch(run, console=console)
        except KeyboardInterrupt:
            self.stdout.write(f"\nYou may leave: run {run.pk} goes on without this window. Pause it in the admin.")
            return
        self.stdout.write(summarise(end))
        if end.state == RunState.PAUSED:
            self.stdout.write("The run is paused; resume it in the admin.")
        if end.failed:
            reasons = run.units.exclude(reason="").order_by().values_list("reason", flat=True).distinct()[:5]
            raise CommandError("\n".join([f"{end.failed} texts failed:", *reasons, "Then: generate --retry-failed"]))
