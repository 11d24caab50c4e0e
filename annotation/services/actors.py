"""Who does something to a study: a researcher, or nobody in particular (a command, the demo)."""

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, User

type Actor = User | None


def actor_of(user: AbstractBaseUser | AnonymousUser) -> Actor:
    """Return the researcher behind a request, or nobody."""
    return user if isinstance(user, User) else None
