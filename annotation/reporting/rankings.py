"""Three agents or more on one scale, for each criterion, and the sentence that says who comes first. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from annotation.reporting import plots
from annotation.reporting.answers import Answer, Finding, Part, is_running, verdict
from annotation.reporting.figures import Figure, Json, TableRow
from annotation.reporting.words import coefficient, count, in_words, percent


def ranking_figures(report: Json, names: Mapping[str, str]) -> tuple[tuple[str, Figure], ...]:
    """A figure of Bradley-Terry scores for each criterion that ranks its agents, by the criterion's name."""
    ranked = [(names.get(c["criterion"], c["criterion"]), c) for c in report["criteria"] if c["ranking"]]
    return tuple((name, _ranking_figure(name, c)) for name, c in ranked)


def _ranking_figure(name: str, criterion: Json) -> Figure:
    ranking, running = criterion["ranking"], is_running(criterion["matchups"][0])
    davidson = {standing["system"]: standing for standing in ranking["davidson"]}
    drawn = [
        plots.Labelled(s["system"], _standing(s, running), None if running else _limits(s))
        for s in ranking["bradley_terry"]
    ]
    ticks = ((1 / len(drawn), "equal"),)
    return Figure(
        key=f"ranking-{criterion['criterion']}",
        title=f"{name}: Bradley–Terry scores, ties as half wins",
        kind="intervals",
        plot=plots.intervals(drawn, ticks, width=470, label=215),
        drawing=plots.intervals(drawn, ticks, width=680, label=340),
        head=("Agent", "Bradley–Terry", "Davidson"),
        rows=tuple(
            TableRow(s["system"], (_standing(s, running), _standing(davidson[s["system"]], running)))
            for s in ranking["bradley_terry"]
        ),
        numbers=tuple(
            {
                "criterion": name,
                "system": s["system"],
                **_numbers("bradley_terry", s, running),
                **_numbers("davidson", davidson[s["system"]], running),
            }
            for s in ranking["bradley_terry"]
        ),
        notes=tuple(_notes(ranking, running)),
    )


def _limits(standing: Json) -> tuple[float, float, float] | None:
    known = standing["score"] is not None and standing["low"] is not None
    return (standing["low"], standing["score"], standing["high"]) if known else None


def _standing(standing: Json, running: bool) -> str:
    if standing["score"] is None:
        return "no finite score"
    if running or standing["low"] is None:
        return coefficient(standing["score"])
    return f"{coefficient(standing['score'])} ({coefficient(standing['low'])}–{coefficient(standing['high'])})"


def _numbers(model: str, standing: Json, running: bool) -> dict[str, Any]:
    if running:
        return {model: standing["score"]}
    return {model: standing["score"], f"{model}_low": standing["low"], f"{model}_high": standing["high"]}


def _notes(ranking: Json, running: bool) -> list[str]:
    notes = [str(note) for note in ranking["notes"]]
    if running:
        notes.append("Intervals appear when the study is closed: there is no band for rankings.")
    if ranking["left_advantage"] is not None:
        notes.append(f"Davidson’s model gives the left response {ranking['left_advantage']:.2f} times the odds.")
    return notes


def overall(report: Json, pairs: Sequence[Sequence[tuple[str, Json]]], names: Mapping[str, str]) -> Answer:
    """One sentence over all pairs: who comes first on every criterion, and how many differences hold."""
    level = report["settings"]["level"]
    running = is_running(pairs[0][0][1])
    ranked = [c for c in report["criteria"] if c["ranking"]]
    clauses = []
    for place, criterion in enumerate(ranked):
        before = _best(ranked[place - 1]) if place else None
        name = names.get(criterion["criterion"], criterion["criterion"])
        clauses.append(_first(name, criterion, level, before))
    found = [verdict(m, level=level).finding for pair in pairs for _, m in pair]
    held = found.count(Finding.PREFERRED)
    tests = f"of {in_words(len(found))} comparisons of two agents on one criterion"
    clauses.append([Part(f"{tests} {in_words(held)} {'holds' if held == 1 else 'hold'} after correction")])
    parts: list[Part] = []
    for place, clause in enumerate(clauses):
        parts += [Part("; " if place else ""), *clause]
    text = parts[1].text if len(parts) > 1 else ""
    parts[1:2] = [Part(text[:1].upper() + text[1:])]
    return Answer((*parts, Part(".")), _lede(pairs, level=level, running=running))


def _best(criterion: Json) -> Json | None:
    """The standing of whoever comes first, None without a finite order."""
    return next((dict(s) for s in criterion["ranking"]["bradley_terry"] if s["score"] is not None), None)


def _first(name: str, criterion: Json, level: float, before: Json | None) -> list[Part]:
    """Who comes first on one criterion. `before`: who did on the one that was told before it."""
    best, running = _best(criterion), is_running(criterion["matchups"][0])
    on = [Part("on "), Part(name.lower(), is_strong=True)]
    if best is None:
        return [*on, Part(" the agents have no finite order")]
    ends = None if running else _limits(best)
    interval = f", {percent(level)} between {coefficient(ends[0])} and {coefficient(ends[2])}" if ends else ""
    score = f"{coefficient(best['score'])}{interval}"
    if before and before["system"] == best["system"]:
        return [*on, Part(f" too ({score})")]
    agents = in_words(len(criterion["ranking"]["bradley_terry"]))
    order = f" comes first of {agents}{' so far' if running else ''} (Bradley–Terry score {score})"
    return [*on, Part(" "), Part(best["system"], is_strong=True), Part(order)]


def _lede(pairs: Sequence[Sequence[tuple[str, Json]]], *, level: float, running: bool) -> str:
    agents = {m[side] for pair in pairs for _, m in pair for side in ("system_a", "system_b")}
    judged = sum(pair[0][1]["n_judgements"] for pair in pairs)
    sizes = f"{len(agents)} agents in {count(len(pairs), 'pair')}, {count(judged, 'judgement')} for each criterion."
    if running:
        return f"{sizes} While the study runs the ranges of pairs are {percent(level)} bands, and rankings have none."
    return f"{sizes} Scores are shares of strength, together 1; equal agents would have {coefficient(1 / len(agents))}."
