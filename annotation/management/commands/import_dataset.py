"""manage.py import_dataset NAME [SOURCE]: bring a public data set in, cut as in the paper."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from annotation.errors import DuologueError
from annotation.public_data.cutting import FIRST, Choices
from annotation.public_data.schemas import SETS
from annotation.services.public_data import SPLIT, import_public_set


class Command(BaseCommand):
    help = "Import a public data set (docs/importing.md): the first dialogues with an even number of turns, the last "
    help += "turn cut off as reference."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", choices=sorted(SETS), help="Which set.")
        parser.add_argument("source", nargs="?", default="", help="A file, a folder or an id of the hub (default).")
        parser.add_argument("--collection", default="", help="Its name; made if there is none (default: the set's).")
        parser.add_argument("--split", default=SPLIT, help="Of the hub or a folder (default: %(default)s).")
        parser.add_argument("--revision", default="", help="Commit of the hub, to pin the data.")
        parser.add_argument("--first", type=int, default=FIRST, help="How many dialogues (default: %(default)s).")
        parser.add_argument("--all", action="store_true", help="Every dialogue, whatever --first says.")
        parser.add_argument("--keep-odd", action="store_true", help="Take dialogues with an odd number of turns, too.")
        parser.add_argument("--dry-run", action="store_true", help="Check everything, store nothing.")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["first"] < 1:
            raise CommandError("--first must be 1 or more.")
        choices = Choices(None if options["all"] else options["first"], options["keep_odd"])
        names = ("source", "collection", "split", "revision", "dry_run")
        try:
            done = import_public_set(options["name"], choices=choices, **{name: options[name] for name in names})
        except DuologueError as problem:
            raise CommandError(problem.user_message) from None
        for sentence in (*done.skipped, str(done.result)):
            self.stdout.write(sentence)
