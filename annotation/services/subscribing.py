"""Ask Prolific to tell us about submissions: a subscription, and the confirmation that it is ours."""

from urllib.parse import urlsplit

from django.conf import settings
from django.http.request import validate_host

from annotation.errors import DuologueError
from annotation.models import Recruitment
from annotation.platforms.protocol import is_https_address
from annotation.platforms.webhooks import SUBMISSION_CHANGED
from annotation.services import platform_clients
from annotation.services.actors import Actor
from annotation.services.trail import record

EVENTS_PATH = "/platforms/prolific/events/"
HOOK_SECRET = "X-Hook-Secret"  # noqa: S105 - the name of a header


class NotSubscribed(DuologueError):
    """Prolific would not, or could not, subscribe us."""


def subscribe(recruitment: Recruitment, said: str, *, actor: Actor) -> str:
    """Subscribe to submissions of a workspace; `said` is its id and our https address. Returns what came of it.

    Raises: NotSubscribed.
    """
    workspace, _, site = said.strip().partition(" ")
    target = site.strip().rstrip("/") + EVENTS_PATH
    if not workspace.isalnum() or not _is_ours(target):
        raise NotSubscribed(
            "Enter the workspace's id, a space, and the address of this site that begins with https://."
        )
    try:
        number = _subscribe(workspace, target)
    except (platform_clients.NotNow, platform_clients.Refused) as problem:
        raise NotSubscribed(f"Prolific did not subscribe us. {problem}") from problem
    record(recruitment.study, "subscribe to events", actor=actor, subscription=number, target=target)
    return f"Prolific tells {target} from now on. The subscription is {number}."


def _is_ours(address: str) -> bool:
    """Whether an address is of this site: what people at the platform do is told to nobody else."""
    return is_https_address(address) and validate_host(urlsplit(address).hostname or "", settings.ALLOWED_HOSTS)


def _subscribe(workspace: str, target: str) -> str:
    wanted = {"event_type": SUBMISSION_CHANGED, "target_url": target, "workspace_id": workspace}
    made = platform_clients.call_prolific("POST", "hooks/subscriptions/", wanted)
    secret = made.headers.get(HOOK_SECRET, "")
    number = (
        str(made.json().get("id", "")) if made.headers.get("Content-Type", "").startswith("application/json") else ""
    )
    if not secret or not number.isalnum():
        raise platform_clients.Refused("Its answer lacks the secret with which a subscription is confirmed.")
    platform_clients.call_prolific("POST", f"hooks/subscriptions/{number}/", {"secret": secret})
    return number
