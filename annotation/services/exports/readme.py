"""The page that a study bundle is opened with: what the study is, what the files are, how to compute it again."""

from annotation.models import Study
from annotation.reporting.markdown import plain
from annotation.services import generation
from annotation.services.exports.report_files import Source, paper_of

FILES = """\
| file | what it is |
| :-- | :-- |
| `judgements.csv` | every judgement, one a row; those that do not count say why |
| `comparisons.csv` | every comparison with its dialogue, its two responses and the votes on each criterion |
| `responses.jsonl` | every response with everything that is known of how it was made |
| `preferences.jsonl`, `preferences-chat.jsonl` | preference pairs, as text and as chat messages |
| `report.json` | every figure of the results, computed from `judgements.csv` |
| `report.md`, `report.tex` | their tables, to be read and to be put into a paper |
| `figures/` | figures of the results as SVG |
| `datasheet.md`, `datasheet.json` | the human-evaluation datasheet (HEDS 2.0) |
| `study.json` | how the study was set up: texts, criteria, seeds, agents, models, prompts with their hashes |
| `frozen.jsonl` | what annotators saw: texts, comparisons, sides of every place; the launch noted its SHA-256 |
| `exclusions.csv` | the ledger: which annotators and comparisons do not count, since when and why |
| `trail.jsonl` | what was done to the study, and when |
| `pages/` | pages as annotators saw them, without their scripts |
| `versions.json` | versions of everything that took part |
| `SHA256SUMS` | checksums of all these files, for `sha256sum --check SHA256SUMS` |
"""


def readme(source: Source, *, judgements: int, pages: int) -> str:
    """Return the text. judgements: rows of the file · pages: comparisons whose pages are in the bundle."""
    study, paper = source.study, paper_of(source)
    answers = [f"* {plain(section.title)}: {plain(section.answer)}" for section in paper.sections]
    blocks = [
        f"# Study bundle: {plain(study.name)}",
        *_notes(study),
        _standing(study, judgements),
        "\n".join(answers) or plain(source.report.reason),
        "## Files",
        FILES + "\ndocs/exports.md of Duologue says what every column and key means.",
        "## Compute it again",
        "    python -m annotation.results BUNDLE.zip",
        "checks the checksum of every file, computes every figure of `report.json` again from `judgements.csv`, and "
        "says whether they are the same to the last digit. It needs no database.",
        "## Pages",
        _pages(study, pages),
        "## Terms",
        "\n".join(_terms(study)),
    ]
    return "\n\n".join(block.rstrip() for block in blocks) + "\n"


def _notes(study: Study) -> list[str]:
    notes = [f"> **{plain(agent.name)}:** {plain(note)}." for agent, note in generation.notes_of(study)]
    rehearsal = ["> **This is a rehearsal: simulated annotators or the team, not people who took part.**"]
    return notes + (rehearsal if study.is_rehearsal else [])


def _standing(study: Study, judgements: int) -> str:
    said = f"Code {study.code}, {study.state}"
    said += f", launched {study.launched_at:%Y-%m-%d %H:%M} UTC" if study.launched_at else ", not launched"
    said += f", closed {study.closed_at:%Y-%m-%d %H:%M} UTC" if study.closed_at else ""
    frozen = f" What annotators saw was frozen with the SHA-256 `{study.frozen_sha256}`." if study.frozen_sha256 else ""
    return f"{said}. {judgements:,} judgements.{frozen} Annotators stand under pseudonyms of this study alone."


def _pages(study: Study, pages: int) -> str:
    if not pages:
        return "There are none: the study has not been launched, so nobody has seen a page of it."
    shown = study.comparisons.filter(slots__isnull=False).distinct().count()
    which = (
        "Every comparison"
        if pages >= shown
        else f"A sample of {pages:,} of {shown:,} comparisons, drawn with the seed,"
    )
    return (
        f"{which} is there as the rating page showed it, with the sides that its first annotator saw, beside the "
        "consent page, the instructions and the guidelines. Files are named by the code of the comparison and hold no "
        "name of an agent. Scripts are taken out; everything else is as it was."
    )


def _terms(study: Study) -> list[str]:
    dialogues = [
        f"* Dialogues of “{plain(each.name)}”: {plain(each.licence) or 'no licence is noted'}"
        + (f", from {plain(each.source)}" if each.source else "")
        for each in study.collections.order_by("name")
    ]
    agents = generation.agents_of(study)
    models = [agent.responder for agent in agents] + [
        agent.augmenter.model if agent.augmenter else None for agent in agents
    ]
    named = {model.name: model.licence for model in models if model}
    return [
        *dialogues,
        *(f"* Texts of {plain(n)}: {plain(said) or 'no licence is noted'}" for n, said in sorted(named.items())),
    ]
