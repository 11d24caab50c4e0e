"""Find a study by what a person calls it."""

from uuid import UUID

from annotation.errors import DuologueError
from annotation.models import Study


class NoSuchStudy(DuologueError):
    """No study, or more than one, goes by this name."""


def find_study(called: str) -> Study:
    """Return the study of this code or name. Raises NoSuchStudy, with the names that there are."""
    found = list(Study.objects.filter(code=called) if _is_code(called) else Study.objects.filter(name=called))
    if len(found) == 1:
        return found[0]
    if found:
        codes = ", ".join(str(study.code) for study in found)
        raise NoSuchStudy(f"{len(found)} studies are called “{called}”. Say which by its code: {codes}.")
    names = ", ".join(f"“{name}”" for name in Study.objects.values_list("name", flat=True)[:5])
    raise NoSuchStudy(f"There is no study “{called}”. " + (f"There are {names}." if names else "There is none yet."))


def _is_code(called: str) -> bool:
    try:
        UUID(called)
    except ValueError:
        return False
    return True
