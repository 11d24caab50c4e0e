"""Rehearsals: simulated annotators judge a copy of a study through its real pages, by a rule whose result is known."""
