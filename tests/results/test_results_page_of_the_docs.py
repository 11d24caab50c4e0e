"""docs/results.md shows what the command really prints, and names the keys and options there are."""

import re
from pathlib import Path

from annotation.results.__main__ import _parser, main
from annotation.results.sample import prepare
from annotation.results.settings import Settings
from annotation.results.summary import analyse
from annotation.results.table import OPTIONAL, REQUIRED, read_csv

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "results.md").read_text()
EXAMPLE = ROOT / "docs" / "examples" / "ratings.csv"


def test_printed_output_is_real(capsys):
    main([str(EXAMPLE)])
    *lines, versions = capsys.readouterr().out.rstrip().splitlines()
    shown = re.search(r"ratings\.csv\n\n```text\n(.*?)\n```", PAGE, re.DOTALL).group(1)
    assert shown.splitlines() == lines
    assert versions.startswith("With python")


def test_every_option_and_column_is_documented():
    options = {name for action in _parser()._actions for name in action.option_strings if name.startswith("--")}
    assert {name for name in options - {"--help"} if f"`{name}`" not in PAGE} == set()
    assert {name for name in (*REQUIRED, *OPTIONAL) if f"`{name}`" not in PAGE} == set()


def test_every_key_of_the_report_and_of_a_pair_is_documented():
    report = analyse(prepare(read_csv(EXAMPLE)), Settings(resamples=200)).to_json()
    matchup = report["criteria"][0]["matchups"][0]
    section = PAGE.partition("## The JSON")[2].partition("## Methods")[0]
    assert {name for name in (*report, *matchup) if f"`{name}" not in section} == set()


def test_python_example_runs(monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    example = re.search(r"```python\n(.*?)```", PAGE, re.DOTALL).group(1)
    exec(compile(example, "docs/results.md", "exec"), {})
    assert "people prefer" in capsys.readouterr().out
