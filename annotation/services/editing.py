"""Change a study's settings: freely as a draft, and after the launch only where no annotator can tell."""

from django.db import transaction

from annotation.errors import DuologueError
from annotation.models import Study
from annotation.services import members
from annotation.services.actors import Actor
from annotation.services.trail import record

# Who takes part and how long a place is kept may change in a running study; what people see and are asked may not.
FREE_AFTER_LAUNCH = frozenset({"name", "annotators_limit", "lease_minutes"})


class StudyIsFrozen(DuologueError):
    """Somebody tries to change what annotators of a launched study see."""

    def __init__(self, fields: list[str]) -> None:
        super().__init__(
            f"The study was launched, so {', '.join(fields)} cannot change any more: annotators who came first would "
            "have judged something else. Make a copy of the study and change that."
        )


def changed_fields(stored: Study, study: Study) -> list[str]:
    """Name the settings in which two versions of one study differ, what the software itself counts aside."""
    columns = [column for column in Study._meta.concrete_fields if column.editable]
    return [column.name for column in columns if getattr(stored, column.attname) != getattr(study, column.attname)]


@transaction.atomic
def save_study(study: Study, *, actor: Actor) -> Study:
    """Store the settings of a study. Raises StudyIsFrozen for a launched study and settings that people see."""
    stored = Study.objects.select_for_update().filter(pk=study.pk).first()
    if stored is None:
        study.save()
        record(study, "created", actor=actor)
        members.begin(study, actor=actor)
        return study
    changed = changed_fields(stored, study)
    if stored.is_frozen and not FREE_AFTER_LAUNCH.issuperset(changed):
        raise StudyIsFrozen([name.replace("_", " ") for name in changed if name not in FREE_AFTER_LAUNCH])
    if changed:
        study.save(update_fields=changed)
        record(study, "edited", actor=actor, fields=changed)
    return study


def require_draft(study: Study, what: str) -> None:
    """Hold the study as a draft until the transaction ends. Raises StudyIsFrozen when it was launched meanwhile."""
    if Study.objects.select_for_update().get(pk=study.pk).is_frozen:
        raise StudyIsFrozen([what])


def change_parts(study: Study, parts: list[str], *, actor: Actor) -> None:
    """Write down which parts of a draft are changed in this transaction. Raises StudyIsFrozen like `require_draft`."""
    require_draft(study, "what is compared")
    record(study, "edited", actor=actor, fields=parts)
