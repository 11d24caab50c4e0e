"""The embedded stack: PostgreSQL, Valkey, workers and the web server as children of one supervisor."""
