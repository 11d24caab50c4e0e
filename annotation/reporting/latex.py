"""A report as LaTeX tables that any engine sets, whatever characters names have. Pure.

Only ASCII is written. Accented Latin letters become their commands; a character that plain LaTeX has no command for is
set by XeTeX and LuaTeX, and named by its number by pdfTeX.
"""

import re
import unicodedata
from collections.abc import Sequence

from annotation.reporting.paper import Paper, Table

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"$<$",
    ">": r"$>$",
    "|": r"$|$",
    '"': r"\char34{}",
    "`": r"{`}",
    "*": "{*}",
    "[": "{[}",
    "]": "{]}",
    "\u00a0": "~",
    "\u2212": "$-$",
    "\u2013": r"\textendash{}",
    "\u2014": r"\textemdash{}",
    "\u2018": "{`}",
    "\u2019": "'",
    "\u201c": r"\textquotedblleft{}",
    "\u201d": r"\textquotedblright{}",
    "\u2026": r"\ldots{}",
    "\u00b1": r"$\pm$",
    "\u00d7": r"$\times$",
    "ß": r"\ss{}",
    "æ": r"\ae{}",
    "Æ": r"\AE{}",
    "œ": r"\oe{}",
    "Œ": r"\OE{}",
    "ø": r"\o{}",
    "Ø": r"\O{}",
    "ł": r"\l{}",
    "Ł": r"\L{}",
    "å": r"\aa{}",
    "Å": r"\AA{}",
    "ı": r"\i{}",
}
_ACCENTS = {
    "\u0300": "`",
    "\u0301": "'",
    "\u0302": "^",
    "\u0303": "~",
    "\u0304": "=",
    "\u0306": "u",
    "\u0307": ".",
    "\u0308": '"',
    "\u030b": "H",
    "\u030c": "v",
    "\u0327": "c",
}
# Two hyphens become a dash and two apostrophes a quotation mark, unless something stands between them.
_LIGATURES = re.compile("(-(?=-)|'(?='))")
_HEAD = r"""% Tables of a Duologue report: \input this file where they should stand.
% With \usepackage{booktabs} the rules look better.
\providecommand{\toprule}{\hline}
\providecommand{\midrule}{\hline}
\providecommand{\bottomrule}{\hline}
\DeclareRobustCommand{\duologuechar}[1]{\ifx\Umathchardef\undefined [U+#1]\else \char"#1\relax\fi}
"""


def as_latex(paper: Paper) -> str:
    """All tables of the report, each in a float of its own, with the sentences as captions and notes."""
    blocks = [_HEAD, _sentence(paper.title), *map(_warning, paper.warnings)]
    for number, section in enumerate(paper.sections, 1):
        blocks += [_sentence(f"{section.title}. {section.answer} {section.lede}")]
        blocks += [_float(table, f"{section.title}. {table.title}", str(number)) for table in section.tables]
        blocks += list(map(_sentence, section.notes))
    blocks += [_float(table, table.title, "all") for table in paper.tables]
    return "\n".join([*blocks, *map(_sentence, paper.method)])


def _warning(text: str) -> str:
    return f"\\noindent\\textbf{{{escaped(text)}}}\\par\n"


def _sentence(text: str) -> str:
    return f"\\noindent {escaped(text)}\\par\n"


def _float(table: Table, caption: str, number: str) -> str:
    columns = "l" + "r" * (len(table.head) - 1)
    label = "".join(letter for letter in table.key.lower() if letter.isascii() and (letter.isalnum() or letter == "-"))
    notes = [f"\\par\\smallskip {escaped(note)}" for note in table.notes]
    return "\n".join(
        [
            "\\begin{table}[ht]",
            "\\centering\\small",
            f"\\caption{{{escaped(caption)}}}",
            f"\\label{{tab:{label}-{number}}}",
            f"\\begin{{tabular}}{{{columns}}}",
            "\\toprule",
            _row(table.head),
            "\\midrule",
            *map(_row, table.rows),
            "\\bottomrule",
            "\\end{tabular}",
            *notes,
            "\\end{table}",
            "",
        ]
    )


def _row(cells: Sequence[str]) -> str:
    return " & ".join(map(escaped, cells)) + r" \\"


def escaped(text: str) -> str:
    """Text on one line, in ASCII, that LaTeX sets as it reads."""
    line = " ".join(part for part in re.split(r"[^\S\u00a0]+", unicodedata.normalize("NFC", text)) if part)
    return _LIGATURES.sub(r"\1{}", "".join(map(_letter, line)))


def _letter(letter: str) -> str:
    if letter in _SPECIAL:
        return _SPECIAL[letter]
    if letter.isascii() and letter.isprintable():
        return letter
    parts = unicodedata.normalize("NFD", letter)
    base, mark = parts[0], parts[1:]
    if mark in _ACCENTS and base.isascii() and base.isalpha():
        dotless = f"\\{base}" if base in "ij" and mark != "\u0327" else base
        return f"\\{_ACCENTS[mark]}{{{dotless}}}"
    return f"\\duologuechar{{{ord(letter):04X}}}"
