"""When a study will be complete."""

from datetime import timedelta

import pytest

from annotation.forecast import in_words, time_left

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


@pytest.mark.parametrize(
    ("missing", "recent", "since", "left"),
    [
        (120, 60, 5 * HOUR, 2 * HOUR),
        (10, 10, 20 * MINUTE, 20 * MINUTE),
        (100, 50, timedelta(seconds=3), 2 * MINUTE),
        (0, 60, HOUR, None),
        (10, 4, HOUR, None),
        (10**9, 5, HOUR, None),
    ],
)
def test_what_is_missing_takes_as_long_as_the_last_hour_says(missing, recent, since, left):
    assert time_left(missing=missing, recent=recent, since=since) == left


@pytest.mark.parametrize(
    ("left", "words"),
    [
        (timedelta(seconds=5), "1 minute"),
        (89 * MINUTE, "89 minutes"),
        (100 * MINUTE, "2 hours"),
        (35 * HOUR, "35 hours"),
        (50 * HOUR, "2 days"),
    ],
)
def test_lengths_of_time_are_said_as_people_would(left, words):
    assert in_words(left) == words
