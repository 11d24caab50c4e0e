"""manage.py import_responses FILE --agent NAME: finished responses of any system become an agent."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from annotation.errors import DuologueError
from annotation.services.responses import import_responses


class Command(BaseCommand):
    help = "Import finished responses from a JSONL or CSV file (docs/importing.md). One bad line changes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--agent", required=True, help="Its name; made if there is none.")
        parser.add_argument(
            "--collection", default="", help="Where dialogues are looked up that the file names none for."
        )
        parser.add_argument("--note", default="", help="What must be said wherever the agent's results appear.")
        parser.add_argument("--update", action="store_true", help="Replace responses that have changed; old ones stay.")
        parser.add_argument("--dry-run", action="store_true", help="Check everything, store nothing.")

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        names = ("collection", "note", "update", "dry_run")
        try:
            with path.open("rb") as file:
                given = {name: options[name] for name in names}
                result = import_responses(options["agent"], file=file, filename=path.name, **given)
        except OSError as error:
            raise CommandError(f"Cannot read {path}: {error.strerror}.") from None
        except DuologueError as error:
            raise CommandError(error.user_message) from None
        self.stdout.write(str(result))
