"""The sidebar, in the order of the work: material, agents, studies, what was generated, who took part."""

from typing import Any

from django.apps import apps
from django.http import HttpRequest
from django.urls import reverse

# Group, then table and Material Symbols icon. A table is only listed for those who may view it.
GROUPS: dict[str, list[tuple[str, str]]] = {
    "Material": [("collection", "folder_open"), ("dialogue", "forum")],
    "Agents": [
        ("agent", "smart_toy"),
        ("augmenter", "psychology"),
        ("languagemodel", "memory"),
        ("promptset", "article"),
        ("worker", "dns"),
    ],
    "Studies": [("study", "science"), ("recruitment", "groups_2"), ("comparison", "compare_arrows")],
    "Generation": [
        ("generationrun", "play_circle"),
        ("generationunit", "list_alt"),
        ("skillofmind", "lightbulb"),
        ("response", "chat"),
    ],
    "Annotators": [
        ("annotator", "group"),
        ("assignment", "assignment_ind"),
        ("judgement", "how_to_vote"),
        ("problemreport", "report"),
        ("platformmessage", "outbox"),
        ("event", "history"),
    ],
}


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the groups and links of unfold's sidebar that this person may use."""
    first = {"title": "", "items": [{"title": "Start", "icon": "home", "link": reverse("admin:index")}]}
    groups = [{"title": title, "items": _links(request, "annotation", tables)} for title, tables in GROUPS.items()]
    team = _links(request, "auth", [("user", "person"), ("group", "groups")])
    return [first, *groups, {"title": "Team", "items": team}]


def _links(request: HttpRequest, app: str, tables: list[tuple[str, str]]) -> list[dict[str, Any]]:
    return [
        {
            "title": str(apps.get_model(app, table)._meta.verbose_name_plural).capitalize(),
            "icon": icon,
            "link": reverse(f"admin:{app}_{table}_changelist"),
        }
        for table, icon in tables
        if request.user.has_perm(f"{app}.view_{table}")
    ]
