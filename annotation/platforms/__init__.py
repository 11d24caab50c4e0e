"""The recruiting platforms behind one interface. Pure: no Django, no clock, no network.

A platform reads what its link brings along (`read_entry`), says where each exit leads (`way_out`), what must be told to
it when somebody is done (`deed_at`), which address the researcher pastes (`entry_query`) and what is still missing
(`problems`). All that differs between two studies comes in as a `Setup`.
"""

from annotation.platforms.connect import Connect
from annotation.platforms.links import Invitations, OpenLink
from annotation.platforms.mturk import MechanicalTurk
from annotation.platforms.prolific import Prolific
from annotation.platforms.protocol import BadEntry, Deed, Platform, Setup, Visitor, WayOut
from annotation.platforms.sona import Sona

__all__ = ["PLATFORMS", "BadEntry", "Deed", "Platform", "Setup", "Visitor", "WayOut"]

_ALL: tuple[Platform, ...] = (OpenLink(), Invitations(), Prolific(), Sona(), Connect(), MechanicalTurk())

PLATFORMS: dict[str, Platform] = {platform.key: platform for platform in _ALL}
