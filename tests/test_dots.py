"""A plot of dots: everybody is in it, nobody is on the wrong side of the floor, nothing leaves the picture."""

from hypothesis import given
from hypothesis import strategies as st

from annotation.reporting.dots import COLUMNS, LEFT, PITCH, ROWS, dots

PAY = st.floats(0.01, 5000, allow_nan=False)


def test_nobody_is_no_plot():
    assert dots([], floor=12) is None


def test_dots_stand_by_what_an_hour_paid():
    plot = dots([9, 11.5, 12, 12.2, 14, 15, 24], floor=12)
    assert sum(dot.is_low for dot in plot.dots) == 2
    assert (plot.each, len(plot.dots)) == (1, 7)
    assert plot.floor == LEFT + PITCH * (12 - 9)
    assert [(row.low, row.high, row.people) for row in plot.rows][:3] == [
        ("9", "10", 1),
        ("11", "12", 1),
        ("12", "13", 2),
    ]
    assert [words for _, words in plot.ticks] == ["9", "16", "23", "30", "37"]


def test_one_very_high_pay_stands_at_the_edge_and_presses_nobody_together():
    plot = dots([10, 11, 12, 13, 1000], floor=None)
    assert plot.rows[-1].low == "37"
    assert plot.rows[-1].high == ""
    assert len(plot.dots) == 5


def test_a_dot_stands_for_several_where_many_earn_the_same():
    plot = dots([12.0] * 80 + [13.0], floor=10)
    assert plot.each == 10
    assert len(plot.dots) == 9


@given(st.lists(PAY, min_size=1, max_size=200), st.none() | PAY)
def test_everybody_is_in_the_table_and_all_dots_are_in_the_picture(values, floor):
    plot = dots(values, floor=floor)
    assert sum(row.people for row in plot.rows) == len(values)
    assert len(plot.dots) <= COLUMNS * ROWS
    assert all(LEFT < dot.x < plot.right and 0 < dot.y < plot.base for dot in plot.dots)
    assert all(LEFT - 1 <= x <= plot.right + 1 for x, _ in plot.ticks)
    if floor is not None:
        assert LEFT - 1 <= plot.floor <= plot.right + 1
        assert all((dot.x < plot.floor) == dot.is_low for dot in plot.dots)
        if plot.each == 1:
            assert sum(dot.is_low for dot in plot.dots) == sum(value < floor for value in values)
