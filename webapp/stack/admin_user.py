"""The first researcher's account of an embedded stack, with a password that is made, not chosen."""

import os
import secrets
from pathlib import Path

from django.contrib.auth.models import User

NAME = "admin"


def password_file(data_dir: Path) -> Path:
    """Return where the password is kept, readable by this user alone."""
    return data_dir / "admin_password"


def ensure_admin(data_dir: Path) -> None:
    """Make the account unless somebody administers this database already."""
    if User.objects.filter(is_superuser=True).exists():
        return
    password = secrets.token_urlsafe(12)
    descriptor = os.open(password_file(data_dir), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(password + "\n")
    User.objects.create_superuser(NAME, password=password)


def describe_admin(data_dir: Path) -> str:
    """Say how to sign in: the made password, as long as it is the one."""
    user = User.objects.filter(username=NAME, is_superuser=True).first()
    path = password_file(data_dir)
    if user is not None and path.exists() and user.check_password(password := path.read_text().strip()):
        return f"user {NAME}, password {password}"
    return "with your own account"
