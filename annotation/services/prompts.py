"""Bring published prompt templates in, from a file, a clone of the authors' repository, or an address."""

import hashlib
import re
import socket
import time
from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple

import httpx
from django.db import transaction

from annotation.models import PromptSet, Study
from annotation.prompt_files import MAX_BYTES, PromptFileError, read_templates
from annotation.services.generation import agents_of

FILE_IN_REPOSITORY = Path("utils") / "prompt_templates.py"
# For each step of a download, and for all of it: a server that trickles is not waited for.
SECONDS = 30
SECONDS_IN_ALL = 60
MAX_REDIRECTS = 5
GITHUB_PAGE = re.compile(r"https://github\.com/([^/]+)/([^/]+)/blob/(.+)")
USUAL_NAME = "Published Thanos prompts"


class Imported(NamedTuple):
    """The prompt set, and whether it was not there before."""

    prompt_set: PromptSet
    is_new: bool


def import_prompts(path_or_url: str, *, name: str = "") -> Imported:
    """Read published templates and keep them as a prompt set that never changes, with source and SHA-256.

    The same file again gives the same set. Raises PromptFileError with what is wrong and what to do.
    """
    is_address = path_or_url.lower().startswith(("http://", "https://"))
    source, content = _download(path_or_url) if is_address else _read(Path(path_or_url))
    return store_prompts(content, source=source, name=name)


def used_in(study: Study) -> list[tuple[PromptSet, list[str]]]:
    """Return the prompt sets behind a study's agents, each with those who use it: agents and augmenters by name."""
    users: dict[PromptSet, set[str]] = {}
    for agent in agents_of(study):
        for user in (agent, agent.augmenter):
            if user is not None and user.prompt_set is not None:
                users.setdefault(user.prompt_set, set()).add(user.name)
    return sorted(((prompts, sorted(names)) for prompts, names in users.items()), key=lambda pair: pair[0].name)


@transaction.atomic
def store_prompts(content: bytes, *, source: str, name: str = "") -> Imported:
    """Keep the templates of a file's content."""
    templates = read_templates(content)
    sha256 = hashlib.sha256(content).hexdigest()
    found = PromptSet.objects.filter(sha256=sha256, is_published=True).first()
    if found:
        return Imported(found, is_new=False)
    name = name.strip() or _free_name(sha256)
    if len(name) > 200 or PromptSet.objects.filter(name=name).exists():
        raise PromptFileError(f"“{name[:80]}” is too long or the name of another prompt set. Give another one.")
    made = PromptSet.objects.create(
        name=name, source=source[:500], sha256=sha256, is_published=True, templates=templates
    )
    return Imported(made, is_new=True)


def _free_name(sha256: str) -> str:
    taken = PromptSet.objects.filter(name=USUAL_NAME).exists()
    return f"{USUAL_NAME} ({sha256[:8]})" if taken else USUAL_NAME


def _read(path: Path) -> tuple[str, bytes]:
    """Read a file, or the file of templates in a clone of the repository."""
    path = path.expanduser().resolve()
    if path.is_dir():
        path = path / FILE_IN_REPOSITORY
    try:
        with path.open("rb") as file:
            return str(path), file.read(MAX_BYTES + 1)
    except OSError as error:
        raise PromptFileError(f"Cannot read {path}: {error.strerror}.") from None


def _download(url: str) -> tuple[str, bytes]:
    """Fetch an address; that of a page on GitHub is turned into that of the file it shows.

    A name and a password in the address are used, and not kept.
    """
    url = GITHUB_PAGE.sub(r"https://raw.githubusercontent.com/\1/\2/\3", url)
    shown = _without_password(url)
    # Sent as it is: what is unpacked on the way may be far larger than what was sent.
    headers = {"Accept-Encoding": "identity"}
    try:
        with (
            httpx.Client(
                timeout=SECONDS,
                follow_redirects=True,
                max_redirects=MAX_REDIRECTS,
                headers=headers,
                event_hooks={"response": [_stay_outside]},
            ) as client,
            client.stream("GET", url) as response,
        ):
            response.raise_for_status()
            content = _bounded(response, until=time.monotonic() + SECONDS_IN_ALL)
    except httpx.UnsupportedProtocol:
        raise PromptFileError(f"{shown} leads away from http and https. Download the file and give its path.") from None
    except httpx.HTTPStatusError as error:
        raise PromptFileError(f"{shown} answers {error.response.status_code}. Check the address.") from None
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise PromptFileError(f"Cannot fetch {shown}: {error}. Download the file and give its path.") from None
    return shown, content


def _without_password(url: str) -> str:
    try:
        return str(httpx.URL(url).copy_with(username=None, password=None)) if "@" in url else url
    except (httpx.InvalidURL, ValueError):
        return "this address"


def _stay_outside(response: httpx.Response) -> None:
    """Refuse to be led from a public address into this network, where a machine may tell more than it should."""
    if not response.has_redirect_location:
        return
    here, there = response.url.host, response.url.join(response.headers["Location"]).host
    if there and not is_inside(here) and is_inside(there):
        raise PromptFileError(
            f"{here} leads to {there}, an address of this network. Download the file and give its path."
        )


def is_inside(host: str) -> bool:
    """Tell whether a name or number leads to this machine or into its network; not so where it leads nowhere."""
    try:
        found = {str(entry[4][0]) for entry in socket.getaddrinfo(host, None)}
    except (OSError, UnicodeError):
        return False
    return any(not ip_address(address.partition("%")[0]).is_global for address in found)


def _bounded(response: httpx.Response, *, until: float) -> bytes:
    """Return the content, up to one byte more than a file may have. Raises ReadTimeout after `until`."""
    content = bytearray()
    for chunk in response.iter_raw():
        content += chunk
        if len(content) > MAX_BYTES:
            break
        if time.monotonic() > until:
            raise httpx.ReadTimeout(f"it takes longer than {SECONDS_IN_ALL} s")
    return bytes(content[: MAX_BYTES + 1])
