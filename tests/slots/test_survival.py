"""People who judge over HTTP on two web servers and leave in the middle; power cuts in miniature; nothing gets lost."""

import random

import pytest

from tests.slots.site import Site

pytestmark = pytest.mark.stack


@pytest.fixture
def site(tmp_path):
    made = Site(tmp_path)
    yield made
    made.stop()


def crash(site: Site, *, staying: int, doomed: int, apart: tuple[int, int]) -> None:
    """Kill web servers, the database and a client, each after some more answers, and let all be done in the end."""
    rng = random.Random(7)
    people, killed = site.send_in(staying, seed="staying"), site.send_in(doomed)
    for victim in ("web", "PostgreSQL", "web", "PostgreSQL"):
        site.wait_for_more(rng.randint(*apart), people)
        site.strike(rng.choice(site.running(victim)))
    killed.kill()
    killed.wait()
    site.wait_for(people)
    finish(site, people=3)
    assert sum("SIGKILL" in said for said in site.said) == 4, site.said


def finish(site: Site, *, people: int) -> dict[str, int]:
    """Let new people judge what those have left who will never be heard of again, and look at all of it."""
    site.end_leases()
    site.wait_for(site.send_in(people))
    return site.check()


@pytest.mark.long
def test_no_acknowledged_answer_is_lost_when_web_database_and_clients_are_killed(site):
    site.start(comparisons=150, quota=150)
    crash(site, staying=8, doomed=4, apart=(20, 60))


@pytest.mark.long
def test_no_answer_of_a_hundred_is_lost_when_web_database_and_clients_are_killed(site):
    site.start(comparisons=400, quota=400)
    crash(site, staying=100, doomed=60, apart=(60, 120))


@pytest.mark.long
def test_200_people_with_aborts_complete_200_comparisons_exactly_on_two_web_servers(site):
    site.start(comparisons=200, quota=8)
    with site.leases_that_end():
        site.wait_for(site.send_in(200, pace=4, seed="aborts"))
    found = finish(site, people=60)
    assert found["people"] >= 200
    assert found["slots"] == found["submitted"] == 600
    assert {"expired", "released", "withdrawn"} <= set(found)
