"""Peers beside us in the bench of the web: what is printed of them, and what is said when one cannot run."""

from dataclasses import replace

import pytest

from bench import peers
from bench.bench_web import read_options
from bench.closed_loop import Run
from bench.loop_table import medians, show

RUN = Run("Duologue", 64, 0, 500, 0, 100.0, 5.0, 9.0, 20.0, 3.0, 1.0, 4.0, 120.0, 90.0, 0.0, 0.0, 50.0)


def test_ratio_is_of_medians_at_as_many_annotators():
    ours = [replace(RUN, cpu=cpu) for cpu in (4.0, 2.0, 30.0)]
    others = [replace(RUN, annotators=200, cpu=1.0)]
    peer = [replace(RUN, system="Peer 1", cpu=cpu) for cpu in (10.0, 6.0, 9.0)]
    table = medians(ours + others + peer)
    assert [(row["system"], row["annotators"], row["ratio"]) for row in table] == [
        ("Duologue", 64, 1.0),
        ("Duologue", 200, 1.0),
        ("Peer 1", 64, 2.25),
    ]


def test_a_peer_without_ours_beside_it_has_no_ratio(capsys):
    table = medians([replace(RUN, system="Peer 1")])
    assert table[0]["ratio"] is None
    show(table)
    assert "times ours" in capsys.readouterr().out


def test_an_unknown_peer_is_named(capsys):
    with pytest.raises(SystemExit):
        read_options(["--peer", "pearmut,label-studio"])
    assert "no peer is called 'label-studio': known are pearmut, potato" in capsys.readouterr().err


def test_a_peer_that_cannot_be_installed_is_a_sentence(tmp_path):
    missing = replace(peers.known()["potato"], package=str(tmp_path / "nowhere"))
    with pytest.raises(peers.PeerFailed, match=r"^potato 2\.12\.1 could not be installed: .*without --peer potato\.$"):
        peers.install(missing, cache=tmp_path)
    assert not (tmp_path / "potato-2.12.1" / "ready").exists()


@pytest.mark.parametrize("name", ["pearmut", "potato"])
def test_a_study_for_a_peer_is_written_whole(name, tmp_path):
    peers.known()[name].prepare(tmp_path, 3, 90)
    assert sum(path.is_file() for path in tmp_path.rglob("*")) == 2
