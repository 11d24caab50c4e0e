"""Prolific, played by a server on this machine, with no key of it known yet."""

import pytest

from annotation.services import signing_keys
from tests.platforms.prolific import Prolific


@pytest.fixture
def prolific(settings, monkeypatch):
    monkeypatch.setattr(signing_keys, "_fresh", signing_keys._Fresh())
    with Prolific() as site:
        for name, value in site.settings.items():
            setattr(settings, name, value)
        yield site
