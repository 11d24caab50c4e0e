"""Write the files of a study into a folder."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from annotation.errors import DuologueError
from annotation.services.exports.files import write_files
from annotation.services.finding import find_study


class Command(BaseCommand):
    help = "Write the files of a study into a folder: see docs/exports.md."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("study", help="The study's name, or its code as in its links.")
        parser.add_argument("--out", type=Path, required=True, help="The folder; it is made if it is not there.")
        parser.add_argument("--overwrite", action="store_true", help="Replace files of the same name.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            paths = write_files(find_study(options["study"]), options["out"], overwrite=options["overwrite"])
        except DuologueError as problem:
            raise CommandError(problem.user_message) from problem
        except OSError as problem:
            raise CommandError(f"Cannot write to {options['out']}: {problem.strerror}.") from problem
        for path in paths:
            self.stdout.write(str(path))
