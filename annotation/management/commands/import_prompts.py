"""manage.py import_prompts PATH_OR_URL: keep the prompts that the authors of Thanos published as a prompt set."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from annotation.errors import DuologueError
from annotation.services.prompts import import_prompts


class Command(BaseCommand):
    help = "Import published prompts (docs/prompts.md): utils/prompt_templates.py, a clone that holds it, or a URL."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("path_or_url", help="The file, a clone of the authors' repository, or an address.")
        parser.add_argument("--name", default="", help="A name of your own for the prompt set.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            prompt_set, is_new = import_prompts(options["path_or_url"], name=options["name"])
        except DuologueError as problem:
            raise CommandError(problem.user_message) from None
        verb = "Imported" if is_new else "Already there:"
        self.stdout.write(f"{verb} “{prompt_set}” ({', '.join(sorted(prompt_set.templates))})")
        self.stdout.write(f"Source:  {prompt_set.source}\nSHA-256: {prompt_set.sha256}")
