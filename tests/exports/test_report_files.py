"""The report as JSON, Markdown and LaTeX: the same figures, whatever names have in them."""

import json
import re
import shutil
import subprocess

import pytest
from django.utils import timezone

from annotation.reporting.latex import escaped
from annotation.reporting.markdown import plain
from annotation.services import reports, studies
from tests import build
from tests.console.judging import make_judged_study
from tests.exports.hostile import NASTY, make_hostile_study
from tests.exports.reading import content

pytestmark = pytest.mark.django_db
NOTE = "demo augmenter, not Thanos"


def closed(**over):
    return studies.close(make_judged_study(**over), actor=None, now=timezone.now())


def test_json_has_every_figure_of_the_page_and_says_of_which_study():
    study = closed()
    report = json.loads(content(study, "report.json"))
    assert report["study"]["code"] == str(study.code)
    assert {key: value for key, value in report.items() if key != "study"} == json.loads(
        json.dumps(reports.make_report(study))
    )


def test_tables_have_the_figures_of_the_report_in_both_formats():
    study = closed()
    matchup = json.loads(content(study, "report.json"))["criteria"][0]["matchups"][0]
    cells = [f"{matchup['b_wins']}", f"{matchup['ties']}", f"{matchup['a_wins']}"]
    score = f"{100 * matchup['win_score_b']['estimate']:.1f}"
    markdown, latex = content(study, "report.md").decode(), content(study, "report.tex").decode()
    assert f"| Naturalness | {' | '.join(cells)} | {score}" in markdown.replace("\N{NO-BREAK SPACE}", " ")
    assert f"Naturalness & {' & '.join(cells)} & {score}~\\%" in latex


def test_a_running_study_has_bands_and_no_p_values():
    markdown = content(make_judged_study(), "report.md").decode()
    assert "% band" in markdown
    assert "p, Holm" not in markdown
    assert "p, Holm" in content(closed(), "report.md").decode()


@pytest.mark.parametrize("name", ["report.json", "report.md", "report.tex"])
def test_a_stand_in_is_named_wherever_its_figures_are(name):
    assert NOTE in content(make_hostile_study(), name).decode().replace("{-}", "-")


@pytest.mark.parametrize("name", ["report.json", "report.md", "report.tex", "datasheet.md", "datasheet.json"])
def test_without_judgements_the_files_say_why_there_are_no_figures(name):
    for study in (build.make_study(), build.make_running_study()):
        text = content(study, name).decode()
        assert "Nobody has judged" in text or name.startswith("datasheet")


def test_names_make_no_new_rows_or_marks_in_markdown():
    markdown = content(make_hostile_study(), "report.md").decode()
    for block in re.findall(r"(?:^\|.*\n)+", markdown, re.MULTILINE):
        widths = {len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}
        assert len(widths) == 1
    assert "<b>" not in markdown.replace("\\<b>", "")
    assert plain("1. one") == "1\\. one"
    assert plain("- one\n# two") == "\\- one # two"


def test_latex_is_ascii_with_balanced_braces_and_even_rows():
    latex = content(make_hostile_study(), "report.tex").decode()
    assert latex.isascii()
    bare = re.sub(r"\\[{}]", "", latex)
    assert bare.count("{") == bare.count("}")
    for table in re.findall(r"\\begin\{tabular\}\{(\w+)\}\n(.*?)\\end\{tabular\}", latex, re.DOTALL):
        rows = [line for line in table[1].splitlines() if line.endswith(r"\\")]
        assert {len(re.findall(r"(?<!\\)&", row)) + 1 for row in rows} == {len(table[0])}
    assert not re.search(
        r"(?<!\\)[#%$&_](?![\w$|<>])", re.sub(r"\$[^$\n]{1,8}\$|^%.*$", "", latex, flags=re.M).replace(" & ", " ")
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("50 % & $x_1$ #2", r"50 \% \& \$x\_1\$ \#2"),
        ("a--b ''c''", "a-{}-b '{}'c'{}'"),
        ("café Łódź naïve", r"caf\'{e} \L{}\'{o}d\'{z} na\"{\i}ve"),
        ("😀", r"\duologuechar{1F600}"),
        ("* [x]\ny", r"{*} {[}x{]} y"),
        ("\\input{x}", r"\textbackslash{}input\{x\}"),
    ],
)
def test_latex_sets_text_as_it_reads(text, said):
    assert escaped(text) == said


@pytest.mark.skipif(not shutil.which("pdflatex"), reason="no pdflatex on PATH (apt-get install texlive-latex-base)")
def test_latex_compiles(tmp_path):
    (tmp_path / "report.tex").write_bytes(content(make_hostile_study(name=NASTY), "report.tex"))
    (tmp_path / "paper.tex").write_text(r"\documentclass{article}\begin{document}\input{report}\end{document}")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-draftmode", "paper.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
