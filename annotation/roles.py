"""What a member of the team may do to a study. Pure: no Django."""

from enum import StrEnum


class Role(StrEnum):
    """An owner decides who else is in; a researcher runs the study; a viewer looks on."""

    OWNER = "owner"
    RESEARCHER = "researcher"
    VIEWER = "viewer"


class Action(StrEnum):
    """VIEW: pages, results, exports. CHANGE: everything that leaves a trace. SHARE: who is a member."""

    VIEW = "view"
    CHANGE = "change"
    DELETE = "delete"
    SHARE = "share"


ALLOWED: dict[Role, frozenset[Action]] = {
    Role.VIEWER: frozenset({Action.VIEW}),
    Role.RESEARCHER: frozenset({Action.VIEW, Action.CHANGE}),
    Role.OWNER: frozenset(Action),
}

# What the table of studies must allow in general before a role in one study can allow it there.
TABLE_PERMISSION: dict[Action, str] = {
    Action.VIEW: "view_study",
    Action.CHANGE: "change_study",
    Action.DELETE: "delete_study",
    Action.SHARE: "change_study",
}


def roles_that_may(action: Action) -> list[Role]:
    """Return every role that allows an action."""
    return [role for role, actions in ALLOWED.items() if action in actions]
