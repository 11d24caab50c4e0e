"""Move the ids of people from an old IDENTITY_KEY to the one that the site has now."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from annotation.errors import DuologueError
from annotation.services.rotating import rotate


class Command(BaseCommand):
    help = (
        "Seal and hash the ids of people with the IDENTITY_KEY that the site has now, given the old one. Stop the site "
        "and back up its database first: docs/privacy.md has the steps, and what cannot be moved."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("old_key", type=Path, help="The file with the old key. Delete it afterwards.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            moved = rotate(options["old_key"].read_text().strip(), now=timezone.now())
        except OSError as problem:
            raise CommandError(f"The old key cannot be read: {problem}") from problem
        except DuologueError as problem:
            raise CommandError(problem.user_message) from problem
        self.stdout.write(
            f"Moved to the new key: ids of {moved.people} people, {moved.tokens} credit tokens. Ids of {moved.erased} "
            "people are erased: their hashes keep the old key, so these people would not be recognised."
        )
