"""manage.py import_dialogues FILE --collection NAME: bring a JSONL or CSV file of dialogues in."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from annotation.errors import DuologueError
from annotation.services.importing import import_file


class Command(BaseCommand):
    help = "Import dialogues from a JSONL or CSV file (docs/importing.md). A file with one bad line changes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--collection", required=True, help="Its name; made if there is none.")
        parser.add_argument("--source", default="", help="Where the dialogues come from: a paper, an address.")
        parser.add_argument("--licence", default="", help="Under which terms they may be used, e.g. CC BY 4.0.")
        parser.add_argument("--update", action="store_true", help="Replace dialogues whose text has changed.")
        parser.add_argument("--dry-run", action="store_true", help="Check everything, store nothing.")

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        try:
            with path.open("rb") as file:
                result = import_file(
                    options["collection"],
                    file=file,
                    filename=path.name,
                    source=options["source"],
                    licence=options["licence"],
                    update=options["update"],
                    dry_run=options["dry_run"],
                )
        except OSError as error:
            raise CommandError(f"Cannot read {path}: {error.strerror}.") from None
        except DuologueError as error:
            raise CommandError(error.user_message) from None
        self.stdout.write(str(result))
