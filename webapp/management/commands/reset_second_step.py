"""`manage.py reset_second_step NAME`: let somebody who lost their authenticator app sign in with the password alone."""

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError
from django_otp.plugins.otp_totp.models import TOTPDevice


class Command(BaseCommand):
    help = "Switch off the second step of an account, so that its password is enough."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(username=options["username"]).first()
        if user is None:
            raise CommandError(f"There is no account {options['username']}.")
        removed, _ = TOTPDevice.objects.filter(user=user, confirmed=True).delete()
        self.stdout.write(f"{user} signs in with the password alone{'' if removed else ', as before'}.")
