"""Reading pages as a person without JavaScript does."""

from annotation.rehearsal.page import Choice, read_forms, read_page

PAGE = """<!doctype html><title>No words of the page</title>
<main><section id="left"><h2>Left</h2><p>I &amp; you<br>agree</section><section id=right><p>No <b>way</b>.</p></section>
<form id="rate" method="post" action="/next"><input type="hidden" name="token" value="t&quot;1"><textarea name="why">
words</textarea><input name="off" value="1" disabled><input type="checkbox" name="agree" required>
<fieldset><legend>Which is <i>better</i>?</legend><input type="radio" name="c1" value="-1" checked>
<input type="radio" name="c1" value="0"><input type="radio" name="c1" value="1"></fieldset></form>
<form method="post"><button>Leave</button></form></main><button form="rate" class="btn primary">Next</button>"""


def test_text_is_what_people_see():
    page = read_page(PAGE)
    assert page.by_id("left").text == "Left I & you agree"
    assert page.by_id("right").text == "No way."
    assert "No words" not in page.text


def test_main_form_is_the_one_of_the_primary_button():
    rate, leave = read_forms(read_page(PAGE))
    assert (rate.is_main, leave.is_main) == (True, False)
    assert (rate.action, rate.method) == ("/next", "post")


def test_form_sends_its_fields_and_boxes_but_nothing_disabled():
    rate = read_forms(read_page(PAGE))[0]
    assert rate.fields == {"token": 't"1', "why": "words"}
    assert rate.boxes == {"agree": "on"}


def test_questions_come_with_their_values_in_the_order_of_the_screen():
    assert read_forms(read_page(PAGE))[0].choices == (Choice("c1", "Which is better?", ("-1", "0", "1")),)


def test_unclosed_parts_end_with_what_is_around_them():
    page = read_page("<div><p>one<p>two</div><p>three")
    assert page.text == "one two three"
