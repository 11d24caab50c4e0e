"""manage.py replicate_paper: the draft of the study in the Thanos paper, and what it still waits for."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from annotation.errors import DuologueError
from annotation.public_data.cutting import FIRST
from annotation.services.replication import NAME, replicate_paper


class Command(BaseCommand):
    help = (
        "Make the draft of the paper's study: the public sets, each responder alone against itself with Thanos 8B, the "
    )
    help += "usual criteria, 100 dialogues of each set. Safe to give again: it completes the draft."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--folder", type=Path, help="Files of sets, named like them: daily-dialog.jsonl, …")
        parser.add_argument("--hub", action="store_true", help="Load sets that are not there from the hub.")
        parser.add_argument("--name", default=NAME, help="Of the study (default: %(default)s).")
        parser.add_argument("--responder", action="append", default=[], metavar="SLUG", help="Only these; repeatable.")
        parser.add_argument("--first", type=int, default=FIRST, help="Dialogues of each set (default: %(default)s).")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["first"] < 1:
            raise CommandError("--first must be 1 or more.")
        if options["folder"] and not options["folder"].is_dir():
            raise CommandError(f"There is no folder {options['folder']}.")
        try:
            made = replicate_paper(
                name=options["name"],
                folder=options["folder"],
                uses_hub=options["hub"],
                responders=options["responder"],
                first=options["first"],
                now=timezone.now(),
            )
        except DuologueError as problem:
            raise CommandError(problem.user_message) from None
        for sentence in made.done:
            self.stdout.write(sentence)
        pairs = made.study.matchups.count()
        count = made.prepared.made + made.prepared.kept
        self.stdout.write(f"“{made.study}” is a draft with {pairs} matchups and {count} comparisons.")
        self.stdout.write(
            "\n".join(["It waits for:", *(f"- {sentence}" for sentence in made.waits)] if made.waits else [])
        )
