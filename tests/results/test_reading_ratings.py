"""Long-format ratings: what is read, what is refused and where, and what counts."""

import csv
import io
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.results import csv_text
from annotation.results.errors import (
    BadRow,
    EmptyTable,
    MissingColumns,
    RepeatedColumn,
    ResultsError,
    UnknownAnnotator,
    UnreadableFile,
)
from annotation.results.sample import prepare
from annotation.results.settings import Settings
from annotation.results.summary import analyse
from annotation.results.table import from_columns, read_csv, read_text, rearmed
from tests.results.made import examples, random_rows, row, sample, write

HEAD = "item_id,rater_id,dimension,label,system_a,system_b\n"


def read(text):
    return prepare(read_text(lambda: io.StringIO(text)))


def figures(found):
    return analyse(found, Settings(resamples=100)).to_json()


def test_labels_become_grades():
    found = read(
        HEAD + "".join(f"i{n},r1,q,{label},x,y\n" for n, label in enumerate(["A", "B", "tie", "both_bad", "-2"]))
    )
    assert found.main.grade.tolist() == [-1, 1, 0, 0, -2]
    assert found.main.both_bad.tolist() == [False, False, False, True, False]


def test_bom_blank_lines_and_other_columns_do_not_disturb(tmp_path):
    path = tmp_path / "ratings.csv"
    path.write_text("\ufeffnote,item_id,rater_id,dimension,label,system_a,system_b\r\n\r\nhello,i1,r1,q,A,x,y\r\n\r\n")
    assert len(prepare(read_csv(path)).main) == 1


def test_quoted_cells_may_hold_commas_and_line_breaks():
    found = read(HEAD + '"i,1",r1,q,A,"x\ny",z\n')
    assert found.main.items == ("i,1",)
    assert found.main.pairs == (("x\ny", "z"),)


@pytest.mark.parametrize("text", ["", "\n", "\n\n"])
def test_an_empty_file_is_told_so(text):
    with pytest.raises(EmptyTable, match="empty"):
        read(text)


def test_a_header_alone_is_told_so():
    with pytest.raises(EmptyTable, match="no row follows the header"):
        read(HEAD)


def test_missing_columns_are_named():
    with pytest.raises(MissingColumns, match=r"lacks dimension, system_b; it has item_id, rater_id, label, system_a"):
        read("item_id,rater_id,label,system_a\ni,r,A,x\n")


def test_a_column_named_twice_is_refused():
    with pytest.raises(RepeatedColumn, match="label"):
        read("label," + HEAD + "A,i1,r1,q,A,x,y\n")


def test_an_unknown_label_is_refused_with_its_line():
    with pytest.raises(BadRow, match=r"Line 4: label 'left' is none of A, B, tie, both_bad"):
        read(HEAD + "i1,r1,q,A,x,y\n\ni2,r1,q,left,x,y\n")


@pytest.mark.parametrize("label", ["1.5", "", "101", "-101", "nan", "AB", "1e2"])
def test_what_is_no_label_is_refused(label):
    with pytest.raises(BadRow, match="Line 2"):
        read(HEAD + f"i1,r1,q,{label},x,y\n")


def test_lines_are_counted_as_an_editor_counts_them():
    with pytest.raises(BadRow, match="Line 5"):
        read(HEAD + '"i\n1",r1,q,A,x,y\n\ni2,r1,q,C,x,y\n')


def test_lines_are_right_far_into_a_file():
    with pytest.raises(BadRow, match="Line 3002"):
        read(HEAD + "".join(f"i{n},r1,q,A,x,y\n" for n in range(3000)) + "i,r1,q,C,x,y\n")


@pytest.mark.parametrize(("cells", "count"), [("i1,r1,q,A,x", 5), ("i1,r1,q,A,x,y,z", 7)])
def test_a_row_of_another_length_is_refused_with_its_line(cells, count):
    with pytest.raises(BadRow, match=f"Line 3: {count} cells where the header has 6"):
        read(HEAD + "i0,r1,q,A,x,y\n" + cells + "\n")


@pytest.mark.parametrize("name", ["item_id", "rater_id", "dimension", "system_a"])
def test_an_empty_name_is_refused(name):
    with pytest.raises(BadRow, match=f"Row 2: {name} is empty"):
        sample([row(), {**row("i2"), name: " "}])


def test_a_system_against_itself_is_refused():
    with pytest.raises(BadRow, match="compared with itself"):
        sample([row(a="x", b="x")])


def test_a_side_that_names_a_third_system_is_refused():
    with pytest.raises(BadRow, match="Row 2: shown_left is 'other'"):
        sample([row(shown_left="plain"), row("i2", shown_left="other")])


@pytest.mark.parametrize("words", ["ten", "-1", "inf"])
def test_a_length_that_is_no_number_of_words_is_refused(words):
    with pytest.raises(BadRow, match=f"length_a is '{words}'"):
        sample([row(length_a=words, length_b=3)])


def test_an_open_quotation_mark_is_refused_with_its_line():
    with pytest.raises(UnreadableFile, match="quotation mark"):
        read(HEAD + 'i1,r1,q,"A,x,y\n')


def test_what_is_not_utf_8_is_refused(tmp_path):
    path = tmp_path / "latin.csv"
    path.write_bytes(HEAD.encode() + "i1,Zoë,q,A,x,y\n".encode("latin-1"))
    with pytest.raises(UnreadableFile, match="Line 2: not UTF-8"):
        read_csv(path)


def test_the_line_that_is_not_utf_8_is_named_far_down_a_file(tmp_path):
    path = tmp_path / "late.csv"
    good = "".join(f"i{item},r1,q,A,x,y\n" for item in range(5000))
    path.write_bytes((HEAD + good).encode() + "i1,Zoë,q,A,x,y\n".encode("latin-1") + good.encode())
    with pytest.raises(UnreadableFile, match=r"^Line 5002: not UTF-8"):
        read_csv(path)


@pytest.mark.parametrize("separator", [";", "\t"])
@pytest.mark.parametrize("quoted", [False, True])
def test_semicolons_and_tabs_separate_where_the_header_has_no_comma(separator, quoted):
    rows = [["i1", '"r1"' if quoted else "r1", "q", "A", "x", "y"], ["i2", "r1", "q", "tie", "x", "y"]]
    text = HEAD.replace(",", separator) + "".join(separator.join(row) + "\n" for row in rows)
    assert len(read_text(lambda: io.StringIO(text))) == 2
    with pytest.raises(BadRow, match=r"^Line 4: label 'never'"):
        read(text + separator.join(["i3", "r1", "q", "never", "x", "y"]) + "\n")


def test_a_missing_file_is_told_so(tmp_path):
    with pytest.raises(UnreadableFile, match="There is no file"):
        read_csv(tmp_path / "absent.csv")


def test_errors_are_sentences_for_people():
    with pytest.raises(ResultsError) as caught:
        read(HEAD)
    assert caught.value.user_message.endswith(".")


@pytest.mark.parametrize("value", ["=SUM(A1)", "+1", "-2", "@x", "\tx"])
def test_cells_that_an_export_disarmed_are_read_back(value):
    assert rearmed(f"'{value}") == value


@pytest.mark.parametrize("value", ["'tis", "plain", "'", "", "''"])
def test_other_cells_stay_as_they_are(value):
    assert rearmed(value) == value


def test_a_disarmed_grade_is_the_grade():
    found = read(HEAD + "i1,'=r1,q,'-2,x,y\ni2,'=r1,q,-2,x,y\n")
    assert found.main.grade.tolist() == [-2, -2]
    assert found.main.annotators == ("=r1",)


def test_the_last_of_equal_judgements_counts_and_the_others_are_told():
    found = sample([row(label="A"), row(label="tie"), row(label="B"), row("i2", label="A")])
    assert found.main.grade.tolist() == [1, -1]
    assert found.counts.duplicates == 2


def test_the_same_judgement_with_the_systems_exchanged_is_a_duplicate():
    found = sample([row(label="A"), row(label="A", a="guided", b="plain")])
    assert found.main.grade.tolist() == [1]
    assert found.counts.duplicates == 1


def test_one_item_in_two_pairs_is_no_duplicate():
    assert sample([row(), row(b="third")]).counts.duplicates == 0


def test_the_frame_is_that_of_the_first_row_of_the_pair():
    rows = [row("i1", label="A", a="x", b="y"), row("i2", label="A", a="y", b="x"), row("i3", label="-2", a="y", b="x")]
    found = sample(rows).main
    assert found.pairs == (("x", "y"),)
    assert found.grade.tolist() == [-1, 1, 2]


@examples
@given(st.integers(0, 10_000), st.data())
def test_no_figure_depends_on_which_system_a_row_names_first(seed, data):
    rows = random_rows(items=12, annotators=4, k=3, seed=seed, labels=("A", "tie", "B", "both_bad"))
    sides = np.random.default_rng(seed)
    for one in rows:
        one |= {
            "shown_left": sides.choice(["plain", "guided"]),
            "length_a": str(sides.integers(1, 30)),
            "length_b": "9",
        }
    turned = [rows[0]] + [exchanged(one) if data.draw(st.booleans()) else one for one in rows[1:]]
    assert figures(sample(turned)) == figures(sample(rows))


def exchanged(one):
    labels = {"A": "B", "B": "A"}
    return {
        **one,
        "system_a": one["system_b"],
        "system_b": one["system_a"],
        "length_a": one["length_b"],
        "length_b": one["length_a"],
        "label": labels.get(one["label"], one["label"]),
    }


@examples
@given(st.integers(0, 10_000))
def test_no_figure_depends_on_the_order_of_the_rows(seed):
    rows = random_rows(items=15, annotators=5, k=3, seed=seed)
    shuffled = [rows[place] for place in np.random.default_rng(seed).permutation(len(rows))]
    one, other = figures(sample(rows)), figures(sample(shuffled))
    for report in (one, other):
        for person in report["annotators"]:
            del person["longest_run"]
    assert one == other


def test_only_main_judgements_without_a_reason_count():
    kinds = ["main", "", "training", "gold", "check", "repeat"]
    rows = [row(f"i{place}", kind=kind, excluded_reason="") for place, kind in enumerate(kinds)]
    rows += [row("i9", kind="main", excluded_reason="withdrew consent")]
    counts = sample(rows).counts
    assert (counts.rows, counts.analysed, counts.repeats) == (7, 2, 1)
    assert counts.other_kinds == {"training": 1, "gold": 1, "check": 1}
    assert counts.excluded_reasons == {"withdrew consent": 1}


def test_a_row_that_does_not_count_may_hold_anything():
    assert len(sample([row(kind="main"), row("", label="?", kind="training", b="plain")]).main) == 1


def test_a_rehearsal_never_mixes_with_real_judgements():
    mixed = sample([row(is_rehearsal="false"), row("i2", is_rehearsal="True")])
    assert (len(mixed.main), mixed.counts.rehearsal, mixed.counts.is_rehearsal) == (1, 1, False)
    alone = sample([row(is_rehearsal="true"), row("i2", is_rehearsal="true")])
    assert (len(alone.main), alone.counts.is_rehearsal) == (2, True)


def test_annotators_can_be_left_out_by_name():
    found = sample([row(), row(rater="bob"), row("i2", "bob")], exclude_annotators=["bob"])
    assert len(found.main) == 1
    assert found.counts.excluded_annotators == {"bob": 2}


def test_leaving_out_someone_unknown_is_refused():
    with pytest.raises(UnknownAnnotator, match="carol"):
        sample([row()], exclude_annotators=["carol"])


def test_nothing_left_is_told_with_the_reasons():
    with pytest.raises(EmptyTable, match=r"None of the 2 rows.*1 from annotators left out, 1 of another kind"):
        sample([row(kind="main"), row("i2", "bob", kind="gold")], exclude_annotators=["ann"])


def test_the_side_of_b_is_known_whoever_is_named_first():
    rows = [row("i1", shown_left="guided"), row("i2", shown_left="plain"), row("i3", shown_left="")]
    rows += [row("i4", a="guided", b="plain", shown_left="guided")]
    assert sample(rows).main.b_left.tolist() == [1, 0, -1, 1]


def test_a_column_for_strata_has_to_be_there():
    with pytest.raises(MissingColumns, match="collection"):
        sample([row()], strata=["collection"])


def test_columns_in_memory_have_to_be_of_one_length():
    with pytest.raises(ValueError, match="different lengths"):
        from_columns({name: ["x"] * (2 if name == "label" else 1) for name in row()})


def test_seconds_that_are_no_numbers_are_not_known():
    assert np.isnan(sample([row(seconds="soon")]).main.seconds).all()
    assert sample([row(seconds="7", active_seconds="5")]).main.seconds.tolist() == [5]
    assert sample([row(seconds="7", active_seconds="")]).main.seconds.tolist() == [7]


ROWS = st.lists(st.lists(st.text(st.sampled_from("ab,\"'\n \u2028é"), max_size=4), min_size=3, max_size=3), max_size=30)


@examples
@given(ROWS, st.sampled_from(["\n", "\r\n"]), st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]), st.integers(1, 60))
def test_fast_reading_gives_the_cells_of_the_csv_module(rows, line_end, quoting, block):
    stream = io.StringIO(newline="")
    csv.writer(stream, lineterminator=line_end, quoting=quoting).writerows([["x", "y", "z"], *rows])
    text = stream.getvalue()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_text, "BLOCK", block)
        read = csv_text.CsvText(io.StringIO(text, newline=""))
        found = [cells for columns in read.batches([0, 1, 2]) for cells in zip(*columns, strict=True)]
    assert read.header == ["x", "y", "z"]
    assert found == list(map(tuple, rows))


@pytest.mark.parametrize("block", [3, 40, 1 << 15])
@pytest.mark.parametrize("quoted", ['"i1"', "i1"])
def test_faults_have_their_line_wherever_blocks_and_quotes_fall(monkeypatch, block, quoted):
    monkeypatch.setattr(csv_text, "BLOCK", block)
    good = f"i0,r1,q,A,x,y\n\n{quoted},r1,q,A,x,y\n"
    with pytest.raises(BadRow, match="Line 5: 2 cells"):
        read(HEAD + good + "i2,r1\n" + good)
    with pytest.raises(BadRow, match="Line 5: label 'C'"):
        read(HEAD + good + "i2,r1,q,C,x,y\n" + good)
    with pytest.raises(UnreadableFile, match="Line 5"):
        read(HEAD + good + 'i2,"r1"x,q,C,x,y\n')


def test_a_last_line_without_an_end_counts():
    assert len(read(HEAD + "i1,r1,q,A,x,y\ni2,r1,q,A,x,y").main) == 2


def test_reading_keeps_no_text_of_columns_it_does_not_need(tmp_path):
    rows = [row(f"i{n % 50}", f"r{n}", "A", comment="x" * 500) for n in range(4_000)]
    path = write(tmp_path / "long.csv", rows)
    tracemalloc.start()
    read_csv(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert path.stat().st_size > 2_000_000
    assert peak < 2_000_000
