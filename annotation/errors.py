"""One family of errors that speak to the person who caused them."""


class DuologueError(Exception):
    """Something this person can understand and act on. `user_message` is shown as it stands."""

    user_message = "This did not work. Please try again."

    def __init__(self, user_message: str | None = None) -> None:
        self.user_message = user_message or self.user_message
        super().__init__(self.user_message)


def gettext_noop(text: str) -> str:
    """Mark a sentence that pages translate when they show it; the name is the one that `makemessages` looks for."""
    return text
