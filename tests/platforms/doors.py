"""The way in and out of each platform, alike: its played site, a study that was pasted into it, and people by name."""

import html
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from django.test import Client
from django.utils import timezone

from annotation import tasks
from annotation.models import PlatformMessage, Study
from annotation.services import invitations, recruiting
from annotation.services.identities import sealer
from annotation.states import Exit
from tests.build import make_researcher
from tests.platforms.connect import Connect
from tests.platforms.mturk import MechanicalTurk
from tests.platforms.noticeboard import Noticeboard
from tests.platforms.people import home_of, make_recruiting_study
from tests.platforms.playing import PlayedPlatform, links_on
from tests.platforms.postbox import Postbox
from tests.platforms.prolific import Prolific
from tests.platforms.sona import EXPERIMENT, TOKEN, Sona

SERVER = "http://testserver"
CODES = {Exit.COMPLETED: "DONE77", Exit.RETURNED: "BACK88"}


class Door(Protocol):
    """`heard` is what the platform knows of ends; `has_ids` says whether it knows its people apart."""

    site: PlayedPlatform
    study: Study
    has_ids: bool
    goes_on_elsewhere: bool
    at_the_end: str

    def link_for(self, person: str) -> str: ...

    def go_out(self, last_page: str) -> None:
        """Do what a person's browser, or a task of the server, does after the last page."""

    def heard(self) -> list[str]: ...


def pasted(study: Study) -> str:
    """The address that the recruitment page shows for this study."""
    return f"{SERVER}{home_of(study)}{recruiting.entry_query(study)}"


class _Pasting:
    """Platforms into which the researcher pastes an address, and whose page for a person has a link."""

    has_ids, goes_on_elsewhere = True, False
    settings: dict[str, Any] = {}

    def __init__(self, site: Any) -> None:
        self.site = site
        self.study = make_recruiting_study(self.key, **self.setup())
        site.publish(pasted(self.study))

    def setup(self) -> dict[str, Any]:
        return {}

    def link_for(self, person: str) -> str:
        return self.site.link_of(person).removeprefix(SERVER)


class ProlificDoor(_Pasting):
    key, at_the_end = "prolific", "cc=DONE77"
    plays = Prolific

    def setup(self) -> dict[str, Any]:
        return {"codes": CODES}

    def go_out(self, last_page: str) -> None:
        [back] = [link for link in links_on(last_page) if "cc=" in link]
        self.site.ask("GET", back)

    def heard(self) -> list[str]:
        return self.site.came_back


class ConnectDoor(_Pasting):
    key, at_the_end = "connect", "/completion?token=abc"
    plays = Connect

    def setup(self) -> dict[str, Any]:
        return self.site.addresses

    def go_out(self, last_page: str) -> None:
        [back] = [link for link in links_on(last_page) if link in self.site.addresses.values()]
        self.site.ask("GET", back)

    def heard(self) -> list[str]:
        return self.site.came_back


class SonaDoor(_Pasting):
    key, at_the_end = "sona", "credit is granted by itself"
    plays = Sona

    def setup(self) -> dict[str, Any]:
        token = sealer().seal(TOKEN, now=timezone.now())
        return {"sona_host": "x.example", "sona_experiment": EXPERIMENT, "sealed_credit_token": token}

    def go_out(self, last_page: str) -> None:
        for message in PlatformMessage.objects.all():
            tasks.tell_platform(message.pk)

    def heard(self) -> list[str]:
        return self.site.credited


class MechanicalTurkDoor:
    key, has_ids, goes_on_elsewhere, at_the_end = "mturk", True, False, "back to the tab of Mechanical Turk"
    plays = MechanicalTurk

    def __init__(self, site: MechanicalTurk) -> None:
        self.site, self.study = site, make_recruiting_study("mturk", codes=CODES)
        self.task = site.publish(pasted(self.study))
        self.frames: dict[str, str] = {}

    def link_for(self, person: str) -> str:
        """The link in the frame, after the worker accepted the task."""
        assignment = self.site.accept(self.task, person)
        said = html.unescape(re.search(r'<iframe [^>]*src="([^"]+)"', self._page(assignment))[1])
        self.frames[person] = Client().get(said.removeprefix(SERVER)).url
        return self.link_in_frame(person)

    def link_in_frame(self, person: str) -> str:
        [link] = links_on(Client().get(self.frames[person]).text)
        return link

    def _page(self, assignment: Any) -> str:
        return self.site.ask("GET", self.site.page_of(assignment)).text

    def go_out(self, last_page: str) -> None:
        """Press the button that the frame of the newest worker shows now."""
        submit_form(self.site, Client().get(list(self.frames.values())[-1]).text)

    def heard(self) -> list[str]:
        return [each.form["code"] for each in self.site.assignments.values() if each.form]


def submit_form(site: MechanicalTurk, frame: str) -> int:
    """Send the form of a frame as its browser does; returns the platform's answer."""
    address = re.search(r'<form method="post" action="([^"]+)"', frame)[1]
    return site.ask("POST", address, data=dict(re.findall(r'name="(\w+)" value="([^"]*)"', frame))).status_code


class InvitationDoor:
    key, has_ids, goes_on_elsewhere, at_the_end = "invitation", True, True, 'id="completion-code"'
    plays = Postbox

    def __init__(self, site: Postbox) -> None:
        self.site, self.study = site, make_recruiting_study("invitation")
        self.office = Client()
        self.office.force_login(make_researcher())

    def send_list(self) -> str:
        return self.office.post(f"/studies/{self.study.code}/invitations/list.csv").text

    def link_for(self, person: str) -> str:
        """The link in a letter that was just sent to this person."""
        invitations.invite(self.study, 1, days=7, actor=None, now=timezone.now())
        self.site.send(self.send_list(), [person])
        return self.site.link_of(person).removeprefix(SERVER)

    def go_out(self, last_page: str) -> None:
        """Nobody is told: the code is the person's own."""

    def heard(self) -> list[str]:
        return []


class OpenDoor:
    key, has_ids, goes_on_elsewhere, at_the_end = "open", False, False, 'id="completion-code"'
    plays = Noticeboard

    def __init__(self, site: Noticeboard) -> None:
        self.site, self.study = site, make_recruiting_study("open")
        site.put_up(pasted(self.study))

    def link_for(self, person: str) -> str:
        return self.site.link().removeprefix(SERVER)

    def go_out(self, last_page: str) -> None:
        """Nobody is told: the code is the person's own."""

    def heard(self) -> list[str]:
        return []


_ALL = (ProlificDoor, MechanicalTurkDoor, SonaDoor, ConnectDoor, InvitationDoor, OpenDoor)
DOORS = {door.key: door for door in _ALL}


@contextmanager
def open_door(key: str, settings: Any) -> Iterator[Any]:
    """Start the platform's site, and a study in it. `settings` is Django's, as pytest lends it."""
    with DOORS[key].plays() as site:
        here = {"SONA_URL": site.address, "MTURK_HOSTS": [site.host]} | getattr(site, "settings", {})
        for name, value in here.items():
            setattr(settings, name, value)
        yield DOORS[key](site)
