"""Figures as files: every one of the results page, well formed whatever names hold, and saying what has to be said."""

import io
import zipfile
from xml.etree import ElementTree

import pytest

from annotation.models import Agent
from tests import build
from tests.exports.hostile import make_hostile_study
from tests.exports.reading import content

pytestmark = pytest.mark.django_db


def drawn(study):
    with zipfile.ZipFile(io.BytesIO(content(study, "figures.zip"))) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def test_every_figure_is_well_formed_and_names_stand_ins():
    study = make_hostile_study()
    Agent.objects.filter(pk=study.matchups.get().treatment_id).update(name='Guided \x01\x1b <&> "')
    found = drawn(study)
    assert len(found) >= 3
    for name, svg in found.items():
        assert name.endswith(".svg")
        assert ElementTree.fromstring(svg).tag == "{http://www.w3.org/2000/svg}svg"
        assert "demo augmenter, not Thanos" in " ".join(svg.split()), name


def test_without_judgements_the_zip_is_empty():
    assert drawn(build.make_running_study()) == {}
