"""Who of the team may do what to which study. Every page and export asks here."""

from collections.abc import Iterable, Mapping

from django.contrib.auth.models import AnonymousUser, User
from django.db import transaction
from django.db.models import QuerySet

from annotation.errors import DuologueError
from annotation.models import Membership, Study
from annotation.roles import TABLE_PERMISSION, Action, Role, roles_that_may
from annotation.services.actors import Actor
from annotation.services.trail import record


class NoOwnerLeft(DuologueError):
    user_message = "A study needs an owner: somebody must be able to decide who else sees it."


def may(user: User | AnonymousUser, action: str, study: Study) -> bool:
    """Whether this person may do this to this study (an Action). The one place that decides it."""
    wanted = Action(action)
    if not (user.is_active and user.is_staff and user.has_perm(f"annotation.{TABLE_PERMISSION[wanted]}")):
        return False
    if user.is_superuser:
        return True
    return Membership.objects.filter(study=study, user_id=user.pk, role__in=roles_that_may(wanted)).exists()


def studies_of(user: User | AnonymousUser, action: str = Action.VIEW) -> QuerySet[Study]:
    """Return the studies to which this person may do this, as far as roles decide it."""
    if user.is_superuser:
        return Study.objects.all()
    if not isinstance(user, User):
        return Study.objects.none()
    own = Membership.objects.filter(user=user, role__in=roles_that_may(Action(action)))
    return Study.objects.filter(pk__in=own.values("study"))


def begin(study: Study, *, actor: Actor) -> None:
    """Make whoever makes a study its owner. A study of a command has no members: superusers see it and add some."""
    if actor is not None:
        Membership.objects.get_or_create(study=study, user=actor, defaults={"role": Role.OWNER})


def inherit(study: Study, *, source: Study) -> None:
    """Give a study the members of another: a rehearsal is seen by those who see what is rehearsed."""
    Membership.objects.bulk_create(
        Membership(study=study, user_id=member.user_id, role=member.role) for member in source.memberships.all()
    )


@transaction.atomic
def change_members(study: Study, *, kept: Iterable[Membership], removed: Iterable[Membership], actor: Actor) -> None:
    """Store new and changed members and remove others, each with an event; rehearsals follow. Raises: NoOwnerLeft."""
    # Two owners who remove each other at the same moment wait for one another here.
    Study.objects.select_for_update().get(pk=study.pk)
    before = _roles(study)
    for member in kept:
        member.study = study
        member.save()
    for member in removed:
        member.delete()
    after = _roles(study)
    if Role.OWNER in before.values() and Role.OWNER not in after.values():
        raise NoOwnerLeft()
    come = {user: role for user, role in after.items() if before.get(user) != role}
    gone = [user for user in before if user not in after]
    _write_down(study, come, gone, actor)
    for rehearsal in study.rehearsals.all():
        _follow(rehearsal, come, gone)


def _roles(study: Study) -> dict[int, str]:
    """Return the members' roles by user."""
    return dict(study.memberships.values_list("user_id", "role"))


def _write_down(study: Study, come: Mapping[int, str], gone: Iterable[int], actor: Actor) -> None:
    names = {user.pk: user.get_username() for user in User.objects.filter(pk__in=[*come, *gone])}
    for user, role in come.items():
        record(study, "share", actor=actor, user=names[user], role=role)
    for user in gone:
        record(study, "unshare", actor=actor, user=names[user])


def _follow(rehearsal: Study, come: Mapping[int, str], gone: Iterable[int]) -> None:
    """Change the members of a rehearsal as those of its study: it shows the same dialogues and responses."""
    Membership.objects.filter(study=rehearsal, user_id__in=list(gone)).delete()
    for user, role in come.items():
        Membership.objects.update_or_create(study=rehearsal, user_id=user, defaults={"role": role})
