"""Figures as files: every one of the page, as a picture that stands alone and as its numbers."""

import csv
import io
import re
from xml.etree import ElementTree

import pytest
from django.urls import reverse

from annotation.services import reading, reports
from annotation.services.figures import figure_files
from tests import build
from tests.console.simulated import FOUR_AGENTS, make_simulated_study
from tests.console.test_results_page import closed, page_of, words

pytestmark = pytest.mark.django_db
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def researcher(client):
    client.force_login(build.make_researcher())
    return client


def files_in(page):
    """The addresses of all figures that a page offers."""
    return [link.replace("&amp;", "&") for link in dict.fromkeys(re.findall(r'href="([^"]*/figures/[^"]+)"', page))]


def rows_of(client, address):
    return list(csv.DictReader(io.StringIO(client.get(address).getvalue().decode())))


def numbers_of(client, study, key, **query):
    return rows_of(
        client, reverse("figure-csv", args=[study.code, key]) + "?" + "&".join(f"{k}={v}" for k, v in query.items())
    )


def test_every_figure_of_the_page_is_there_as_a_picture_and_as_numbers(researcher):
    study = closed(make_simulated_study(dialogues=16, annotators=8, kinds=4))
    files = files_in(page_of(researcher, study))
    pictures = [address for address in files if address.endswith(".svg")]
    assert len(pictures) == 20
    assert [address.replace(".svg", ".csv") for address in pictures] == [f for f in files if f.endswith(".csv")]
    for address in pictures:
        picture = researcher.get(address)
        assert picture["Content-Type"] == "image/svg+xml; charset=utf-8"
        drawn = ElementTree.fromstring(picture.getvalue())
        assert drawn.find(f"{SVG}style") is not None
        assert drawn.find(f"{SVG}title").text
        assert not [each for each in drawn.iter() if "style" in each.attrib]
        assert "var(--" not in picture.getvalue().decode()
        assert rows_of(researcher, address.replace(".svg", ".csv"))
    taken = study.events.filter(verb="export figure").values_list("detail__files__0", flat=True)
    assert {address.split("/")[-1].split("?")[0] for address in files} == set(taken)


def test_numbers_are_those_of_the_report_unrounded(researcher):
    study = closed(make_simulated_study(dialogues=12, annotators=6))
    report = reports.make_report(study)
    matchup = report["criteria"][0]["matchups"][0]
    row = numbers_of(researcher, study, "outcomes")[0]
    assert float(row["win_score_b"]) == matchup["win_score_b"]["estimate"]
    assert float(row["win_score_b_low"]) == matchup["win_score_b"]["low"]
    assert (row["range"], row["criterion"], row["study"]) == ("interval", "Naturalness", study.name)
    forest = numbers_of(researcher, study, "language-naturalness")
    assert [each["part"] for each in forest] == ["de", "en"]


def test_a_running_study_gives_away_no_fixed_interval_and_no_p_value(researcher):
    study = make_simulated_study(dialogues=24, annotators=8, kinds=1)
    page = page_of(researcher, study)
    fixed = reports.make_report(study)["criteria"][0]["matchups"][0]["win_score_b"]
    for address in [*files_in(page), None]:
        text = page if address is None else researcher.get(address).getvalue().decode()
        assert str(fixed["low"]) not in text, address
        assert "holm" not in text, address
    assert numbers_of(researcher, study, "outcomes")[0]["range"] == "band"


def test_four_agents_are_ranked_and_every_pair_has_its_own_figures(researcher):
    study = closed(make_simulated_study(agents=FOUR_AGENTS, dialogues=16, annotators=10, kinds=2))
    page = page_of(researcher, study)
    assert "comes first of four (Bradley–Terry" in words(page)
    assert page.count('class="matchup"') == 6
    ranking = numbers_of(researcher, study, "ranking-naturalness")
    assert sum(float(row["bradley_terry"]) for row in ranking) == pytest.approx(1)
    assert len(numbers_of(researcher, study, "overview")) == 18
    assert numbers_of(researcher, study, "outcomes-6")[0]["system_b"] == "Llama 3.1 8B with Thanos 8B"
    assert len({name for name, _ in figure_files(study, reports.make_report(study), study.closed_at)}) > 60


def test_names_in_pictures_and_files_are_text_and_no_formula(researcher):
    agents = {"=cmd()": (0, 0, 0), "<script>alert(1)</script>": (0.2, 0.2, 0.2)}
    study = closed(make_simulated_study(agents=agents, dialogues=8, annotators=4))
    assert numbers_of(researcher, study, "outcomes")[0]["system_a"] == "'=cmd()"
    picture = researcher.get(reverse("figure-svg", args=[study.code, "outcomes"])).getvalue()
    ElementTree.fromstring(picture)
    assert b"<script" not in picture


def test_there_is_no_figure_of_another_name_and_none_for_strangers(researcher, client):
    study = closed(make_simulated_study(dialogues=4, annotators=4))
    assert researcher.get(reverse("figure-svg", args=[study.code, "passwords"])).status_code == 404
    assert researcher.post(reverse("figure-svg", args=[study.code, "outcomes"])).status_code == 405
    empty = build.make_running_study()
    assert researcher.get(reverse("figure-svg", args=[empty.code, "outcomes"])).status_code == 404
    client.force_login(build.make_stranger(is_staff=True))
    assert client.get(reverse("figure-svg", args=[study.code, "outcomes"])).status_code == 403


def test_a_figure_is_found_by_its_key():
    study = closed(make_simulated_study(dialogues=6, annotators=4))
    found = reading.read(study, reading.NO_FILTERS, now=study.closed_at)
    assert found.figure("agreement").title.startswith("Agreement")
    assert found.figure("side-by-side") is None
