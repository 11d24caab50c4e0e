"""The report as text for a terminal."""

from collections.abc import Iterable

from annotation.results.agreement import Agreement
from annotation.results.data import Figure, NotEstimable
from annotation.results.quality import Quality
from annotation.results.ranking import Standing
from annotation.results.sentences import answers, count
from annotation.results.summary import CriterionReport, Matchup, Report
from annotation.results.win_scores import VarianceShares


def as_text(report: Report) -> str:
    """Everything a reader of the results needs, in plain lines."""
    parts = [*answers(report), "", *_data(report)]
    for criterion in report.criteria:
        parts += ["", *_criterion(criterion)]
    for stratified in report.strata:
        heading = f"{stratified.criterion} by {stratified.column}: win score of {stratified.system_b}"
        parts += ["", heading, *_underline(heading)]
        parts += _table(
            [
                [part.value, percent(part.win_score_b), count(part.n_items, "item"), f"Holm {p_value(part.holm_p)}"]
                for part in stratified.strata
            ]
        )
        parts.append(f"  {stratified.note}")
    parts += ["", *_annotators(report.annotators), "", *_settings(report)]
    return "\n".join(parts)


def _data(report: Report) -> list[str]:
    counts = report.data
    lines = [f"{count(counts.rows, 'row')} read, {count(counts.analysed, 'judgement')} analysed."]
    lines += [f"{count(counts.repeats, 'repeat')}, for agreement of annotators with themselves."] * bool(counts.repeats)
    lines += [f"{counts.rehearsal:,} rows of a rehearsal left out."] * bool(counts.rehearsal)
    for words, tally in (
        ("left out by choice, by annotator", counts.excluded_annotators),
        ("excluded, by reason", counts.excluded_reasons),
        ("of another kind", counts.other_kinds),
    ):
        if tally:
            listed = ", ".join(f"{name} {n:,}" for name, n in list(tally.items())[:20])
            lines.append(f"{sum(tally.values()):,} rows {words}: {listed}.")
    return lines + list(report.notes) + list(counts.system_notes)


def _criterion(report: CriterionReport) -> list[str]:
    heading = f"{report.criterion}: {_extent(report)}"
    lines = [heading, *_underline(heading)]
    for matchup in report.matchups:
        lines += _matchup(matchup)
    if report.agreement.pooled_over_matchups:
        lines += ["  Agreement, pooled over matchups", *_agreement(report.agreement)]
    if report.intra_annotator is not None:
        intra = report.intra_annotator
        shown = percent(intra if isinstance(intra, NotEstimable) else intra.same)
        lines.append(f"  Annotators agree with themselves: {shown}")
    return lines + _ranking(report)


def _matchup(matchup: Matchup) -> list[str]:
    a, b = matchup.system_a, matchup.system_b
    outcome = matchup.majority
    lines = [f"  {b} (B) against {a} (A): {_extent(matchup)}"]
    rows = [
        ["A wins / ties / B wins", f"{matchup.a_wins:,} / {matchup.ties:,} / {matchup.b_wins:,}"],
        ["win score of B", f"{percent(matchup.win_score_b)}, p {p_value(matchup.p)}, Holm {p_value(matchup.holm_p)}"],
        ["  these annotators only", percent(matchup.win_score_b_items)],
        ["win rate without ties", percent(matchup.win_rate_b_no_ties)],
        [
            "majorities of items",
            f"{outcome.a_wins:,} / {outcome.ties:,} / {outcome.b_wins:,}, none {outcome.no_majority:,}; "
            f"sign test p {p_value(matchup.sign_test.p)}",
        ],
        [
            "votes as if independent",
            f"p {p_value(matchup.sign_test.votes_p)} (for comparison only)",
        ],
    ]
    rows += _optional(matchup)
    lines += [f"  {line}" for line in _table(rows)]
    lines += _agreement(matchup.agreement)
    return lines + [f"    Note: {note}" for note in matchup.notes]


def _optional(matchup: Matchup) -> Iterable[list[str]]:
    """Rows that only some data give."""
    if matchup.band is not None:
        yield ["band while running", percent(matchup.band)]
    if matchup.signed_rank is not None:
        ranks = matchup.signed_rank
        shown = ranks.reason if isinstance(ranks, NotEstimable) else f"p {p_value(ranks.p)}"
        yield ["Wilcoxon, item means", shown]
    if matchup.equivalence is not None:
        test = matchup.equivalence
        if isinstance(test, NotEstimable):
            yield ["no difference", test.reason]
        else:
            verdict = "shown" if test.is_equivalent else "not shown"
            yield [f"within ±{100 * test.margin:.3g} points", f"{verdict}, p {p_value(test.p)}"]
    if isinstance(matchup.variance_shares, VarianceShares):
        split = matchup.variance_shares
        yield ["variance", f"items {split.items:.0%}, annotators {split.annotators:.0%}, rest {split.rest:.0%}"]
    if not isinstance(matchup.advice, NotEstimable):
        yield ["advice", matchup.advice.sentence]
    if matchup.position is not None:
        yield ["left share of decided", f"{percent(matchup.position.left_share)}, p {p_value(matchup.position.p)}"]
        yield ["  score without side", percent(matchup.position.corrected_win_score_b)]
    if matchup.dawid_skene is not None:
        model = matchup.dawid_skene
        shown = model.reason if isinstance(model, NotEstimable) else f"win score of B {100 * model.win_score_b:.1f} %"
        yield ["Dawid-Skene, a sensitivity view", shown]
    if matchup.length is not None:
        yield ["score at equal length", percent(matchup.length.at_equal_length)]


def _agreement(agreement: Agreement) -> list[str]:
    shares = ", ".join(f"{name} {share:.0%}" for name, share in agreement.label_shares.items() if share)
    rows = [
        ["alpha, ordinal", plain(agreement.alpha_ordinal)],
        ["alpha, nominal", plain(agreement.alpha_nominal)],
        ["percent / AC1", f"{_share(agreement.percent)} / {_number(agreement.ac1)}"],
        ["labels", f"{shares}; {count(agreement.n_items_multi, 'item')} with two or more judgements"],
    ]
    return [f"  {line}" for line in _table(rows)] + [f"    Note: {note}" for note in agreement.notes]


def _ranking(report: CriterionReport) -> list[str]:
    ranking = report.ranking
    if ranking is None:
        return []
    davidson = {standing.system: standing for standing in ranking.davidson}
    rows = [["", "Bradley-Terry", "Davidson"]]
    rows += [
        [standing.system, *(_standing(found) for found in (standing, davidson[standing.system]))]
        for standing in ranking.bradley_terry
    ]
    return [
        "  Ranking (shares of strength, together 1)",
        *_table(rows),
        *(f"    Note: {note}" for note in ranking.notes),
    ]


def _standing(standing: Standing) -> str:
    if standing.score is None or standing.low is None or standing.high is None:
        return "no finite estimate"
    return f"{standing.score:.4f} ({standing.low:.4f} to {standing.high:.4f})"


def _annotators(people: tuple[Quality, ...], most: int = 30) -> list[str]:
    """The annotators who agree least with the others first."""
    heading = f"Annotators, least agreement with the others first (up to {most} of {len(people):,})"
    rows = [["", "judgements", "agreement (s.e.)", "modal answer", "longest run", "left", "seconds"]]
    ordered = sorted(people, key=lambda person: person.agreement.estimate if person.agreement else 2)
    for person in ordered[:most]:
        own = person.agreement
        agrees = "-" if own is None else f"{own.estimate:.0%} ({_number(own.se)})"
        seconds = "-" if person.median_seconds is None else f"{person.median_seconds:.0f}"
        rows.append(
            [
                person.annotator,
                f"{person.n_judgements:,}",
                agrees,
                f"{person.modal_share:.0%}",
                str(person.longest_run),
                _share(person.left_share),
                seconds,
            ]
        )
    return [heading, *_underline(heading), *_table(rows)]


def _settings(report: Report) -> list[str]:
    settings = report.settings
    versions = ", ".join(f"{name} {version}" for name, version in report.versions.items())
    filters = [f"Filtered: {'; '.join(settings.filters)}."] if settings.filters else []
    return [
        *filters,
        f"Level {settings.level:g}, {settings.resamples:,} resamples from seed {settings.seed}; Holm over "
        f"{count(report.family.size, 'test')}. Intervals of win scores: two-way clustered over items and annotators.",
        f"With {versions}.",
    ]


def _extent(part: CriterionReport | Matchup) -> str:
    counted = ((part.n_judgements, "judgement"), (part.n_items, "item"), (part.n_annotators, "annotator"))
    return ", ".join(count(n, noun) for n, noun in counted)


def percent(figure: Figure) -> str:
    """61.2 % (54.0 to 68.4), or why not."""
    if isinstance(figure, NotEstimable):
        return f"not estimable: {figure.reason}"
    return f"{100 * figure.estimate:.1f} % ({100 * figure.low:.1f} to {100 * figure.high:.1f})"


def plain(figure: Figure) -> str:
    """0.341 (0.262 to 0.418), or why not."""
    if isinstance(figure, NotEstimable):
        return f"not estimable: {figure.reason}"
    return f"{figure.estimate:.3f} ({figure.low:.3f} to {figure.high:.3f})"


def p_value(p: float | None) -> str:
    if p is None:
        return "-"
    return "< 0.0001" if p < 0.0001 else f"{p:.4f}"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"


def _table(rows: list[list[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]


def _underline(heading: str) -> list[str]:
    return ["-" * len(heading)]
