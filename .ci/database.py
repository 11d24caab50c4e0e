"""Make or drop a database on the PostgreSQL of 127.0.0.1:5432: `database.py create|drop USER NAME`."""

import sys

import psycopg
from psycopg import sql

STATEMENTS = {"create": "CREATE DATABASE {}", "drop": "DROP DATABASE IF EXISTS {} WITH (FORCE)"}

if __name__ == "__main__":
    action, user, name = sys.argv[1:]
    try:
        with psycopg.connect(host="127.0.0.1", user=user, dbname="postgres", autocommit=True) as connection:
            connection.execute(sql.SQL(STATEMENTS[action]).format(sql.Identifier(name)))
    except psycopg.Error as error:
        sys.exit(str(error))
