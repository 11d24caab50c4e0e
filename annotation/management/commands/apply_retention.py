"""Erase the readable ids of people once they are not needed any more."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from annotation.services.retention import apply_retention


class Command(BaseCommand):
    help = (
        "Erase readable ids of people in studies that were closed longer ago than their recruitment page says, "
        "messages to platforms, ended invitations and old events. Hashes and judgements stay. Run it once a day."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="Say what would go, and change nothing.")

    def handle(self, *args: Any, **options: Any) -> None:
        is_dry = options["dry_run"]
        found = apply_retention(now=timezone.now(), is_dry=is_dry)
        verb = "Would erase" if is_dry else "Erased"
        for due in found.studies:
            self.stdout.write(
                f"{due.study}, closed {due.closed_days} days ago: ids of {due.ids} people, {due.messages} messages to "
                f"the platform, {due.invitations} invitations."
            )
        self.stdout.write(f"{verb} what is listed for {len(found.studies)} studies, and {found.events} old events.")
