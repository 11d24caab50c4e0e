"""The answers that a study's records give by themselves. Pure: no Django."""

from collections.abc import Callable, Mapping
from typing import Any

from annotation.datasheet.facts import CriterionFacts, StudyFacts

type Json = Mapping[str, Any]


def answer_of_study(number: str, facts: StudyFacts) -> str:
    """Return what the records say to a question about the study; empty when they say nothing."""
    made = _OF_STUDY.get(number)
    return made(facts) if made else ""


def answer_of_criterion(number: str, facts: StudyFacts, criterion: CriterionFacts) -> str:
    """Return what the records say to a question about a criterion; empty when they say nothing."""
    made = _OF_CRITERION.get(number)
    return made(facts, criterion) if made else ""


def _counted(found: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {n:,}" for name, n in found.items())


def _languages(facts: StudyFacts) -> str:
    return f"By the tags of the dialogues (BCP 47): {_counted(facts.languages)}." if facts.languages else ""


def _output_languages(facts: StudyFacts) -> str:
    if not facts.languages:
        return ""
    return f"The language of the dialogue each time: {_counted(facts.languages)}."


def _outputs(facts: StudyFacts) -> str:
    if not facts.outputs:
        return ""
    said = f"Responses judged, by system: {_counted(facts.outputs)}."
    notes = " ".join(f"{agent}: {note}." for agent, note in facts.notes.items())
    return f"{said} {notes}".strip()


def _selection(facts: StudyFacts) -> str:
    if not facts.dialogues:
        return ""
    how = f"All {facts.dialogues_available:,} dialogues"
    if facts.dialogues_limit is not None and facts.dialogues_limit < facts.dialogues_available:
        how = (
            f"{facts.dialogues:,} of {facts.dialogues_available:,} dialogues, drawn evenly over their kinds by a "
            f"random generator with the seed {facts.seed},"
        )
    said = f"{how} of {'; '.join(facts.collections)}. One response of every system to each, none chosen by hand."
    if facts.excluded:
        said += f" Left out, by reason: {_counted(facts.excluded)}."
    if facts.released:
        said += f" {facts.released:,} comparisons are shown although an automatic check flagged a response."
    return said


def _power(facts: StudyFacts) -> str:
    found = [
        f"{c['criterion']}, {m['system_b']} against {m['system_a']}: {100 * m['detectable_effect']:.1f} points"
        for c in (facts.report or {}).get("criteria", [])
        for m in c["matchups"]
        if isinstance(m["detectable_effect"], float)
    ]
    achieved = (
        "Smallest distance of the win score from one half that was detectable with power .8, from the variance found: "
        f"{'; '.join(found)}."
    )
    return " ".join(part for part in (facts.planned, achieved if found else "") if part)


def _people(facts: StudyFacts) -> str:
    people = facts.people
    flow = (
        f"{people.consented:,} consented, {people.instructed:,} read the instructions, {people.judged:,} judged at "
        f"least one comparison, {people.completed:,} finished, {people.excluded:,} were excluded, {people.analysed:,} "
        "are in the results. Who opened the page and did not consent is not counted: nothing is stored of them."
    )
    if people.exits:
        flow += f" How parts ended: {_counted(people.exits)}."
    return flow + (f" {people.simulated:,} of them are simulated, not people." if people.simulated else "")


def _kind_of_people(facts: StudyFacts) -> str:
    pay = f"Payment as shown before consent: {facts.payment}." if facts.payment else "No payment was named to them."
    return pay


def _recruited(facts: StudyFacts) -> str:
    platforms = facts.people.platforms
    return f"Ways in, by number of people: {_counted(platforms)}." if platforms else ""


def _training(facts: StudyFacts) -> str:
    training = facts.training
    said = "They read how it works" + (" and written instructions" if facts.has_instructions else "")
    said += " before the first comparison; guidelines are one key away at all times."
    if training.examples:
        said += f" Worked examples with their answers: {training.examples}."
    if training.questions:
        said += f" Questions about the instructions: {training.questions}, all right within {training.attempts} tries."
    if training.exercises:
        needed = training.exercises_needed
        rule = "no rule on right answers" if needed is None else f"{needed} had to be answered as expected"
        said += f" Practice comparisons, explained after the answer: {training.exercises}; {rule}."
    else:
        said += " There were no practice comparisons."
    if training.passed:
        said += f" People who came through each step: {_counted(training.passed)}."
    failed = {name: n for name, n in facts.people.exits.items() if name.startswith("failed")}
    return said + (f" Not let in after it: {_counted(failed)}." if failed else "")


def _collected(facts: StudyFacts) -> str:
    return (
        "On web pages of Duologue, in the annotator's own browser: one comparison at a time, answers are saved as they "
        f"are given. Each comparison gets exactly {facts.k} judgements by different people, and one person judges at "
        f"most {facts.quota} comparisons."
    )


def _assured(facts: StudyFacts) -> str:
    said = (
        "Annotators see no name of a system. Sides are fixed before the launch and balanced by comparison and person. "
        "Nobody judges a comparison twice unless it is a repeat. "
    )
    said += _hidden(facts)
    return said + (
        f"Nothing is left out by itself: {facts.people.excluded:,} annotators and "
        f"{sum(facts.excluded.values()):,} comparisons were excluded by researchers with a reason, which stands in the "
        "ledger of the study bundle."
    )


def _hidden(facts: StudyFacts) -> str:
    """What was mixed in to see who pays attention, and how it went."""
    checks = facts.checks
    rules = {
        "a check of attention": checks.attention_every,
        "a comparison with a known answer": checks.gold_every,
        "a comparison seen before": checks.repeat_every,
    }
    told = [f"{what} about once in {every}" for what, every in rules.items() if every]
    kinds = {kind: facts.kinds[kind] for kind in ("check", "gold", "repeat") if facts.kinds.get(kind)}
    if not (told or kinds or checks.gold_answers):
        return "There were no hidden checks. "
    said = f"Mixed in: {'; '.join(told)}. " if told else ""
    said += f"Hidden comparisons, by kind: {_counted(kinds)}. " if kinds else ""
    said += f"Known answers: {checks.gold_answers:,}. " if checks.gold_answers else ""
    return said + (f"Checks of attention passed: {checks.passed:,} of {checks.answered:,}. " if checks.answered else "")


def _seen(facts: StudyFacts) -> str:
    said = (
        "The consent text, the instructions, and for each comparison the dialogue, two responses side by side, and all "
        "questions with their definitions. The study bundle has these pages as people saw them, under pages/."
    )
    frozen = f" They were frozen at the launch, {facts.launched_at}; SHA-256 {facts.frozen_sha256}."
    return said + (frozen if facts.frozen_sha256 else "")


def _freedom(facts: StudyFacts) -> str:
    said = (
        f"Free in when and how fast, in as many sittings as they like. A comparison that is left alone for "
        f"{facts.lease_minutes} minutes may go to somebody else."
    )
    if facts.times:
        times = facts.times
        said += (
            f" Seconds a comparison: median {times.median:.0f}, {times.low:.0f} to {times.high:.0f} for nine in ten."
        )
    return said


def _feedback(facts: StudyFacts) -> str:
    asks = f"They could write to {facts.contact}, " if facts.contact else "They could "
    return (
        f"{asks}report a problem with a comparison ({facts.problem_reports:,} did) and leave feedback at the end "
        f"({facts.feedbacks:,} did)."
    )


def _place(facts: StudyFacts) -> str:
    return "On a web page, which can be opened anywhere."


def _conditions(facts: StudyFacts) -> str:
    return "On any computer, tablet or phone with a browser; the page fits all of them."


_OF_STUDY: dict[str, Callable[[StudyFacts], str]] = {
    "2.1": lambda facts: "Text: a dialogue up to somebody's turn, some with a description of the situation.",
    "2.2": lambda facts: "Text: one response, the next turn of the dialogue.",
    "2.3": lambda facts: "Dialogue: writing the next turn of the named speaker.",
    "2.4": _languages,
    "2.5": _output_languages,
    "3.1.1": _outputs,
    "3.1.2": _selection,
    "3.1.3": _power,
    "3.2.1": _people,
    "3.2.2": _kind_of_people,
    "3.2.3": _recruited,
    "3.2.4": _training,
    "3.3.2": _collected,
    "3.3.3": _assured,
    "3.3.4": _seen,
    "3.3.5": _freedom,
    "3.3.6": _feedback,
    "3.3.7": _place,
    "3.3.8": _conditions,
}


def _relative(facts: StudyFacts, criterion: CriterionFacts) -> str:
    return "Relative: two responses to the same dialogue are compared."


def _shown_name(facts: StudyFacts, criterion: CriterionFacts) -> str:
    return f"{criterion.name}. Evaluators see the question and the definition; the name stands in the results."


def _presented(facts: StudyFacts, criterion: CriterionFacts) -> str:
    order = (
        "in an order of their own for each annotator" if facts.shuffles_criteria else "in the same order for everybody"
    )
    said = (
        "A row of buttons under the question, of which one can be chosen, in the order of the responses on the screen. "
    )
    reason = " A reason can or must be written, depending on the answer." if facts.asks_reason else ""
    return f"{said}All questions stand on one page, {order}.{reason}"


def _form(facts: StudyFacts, criterion: CriterionFacts) -> str:
    kind = "with degrees of preference" if facts.is_graded else "by choosing one"
    return f"Comparison of a pair of responses side by side, {kind}."


def _aggregated(facts: StudyFacts, criterion: CriterionFacts) -> str:
    return (
        "Win score: the share of judgements that a system wins, ties and both bad counted half, over all judgements "
        "that count. Shares of wins, ties and losses, the win rate without ties and majorities by dialogue "
        "stand beside it."
    )


def _effect(facts: StudyFacts, criterion: CriterionFacts) -> str:
    method = (
        "Effect size is the win score with its 95 % interval, clustered over dialogues and annotators (Cameron, "
        "Gelbach and Miller 2011; degrees of freedom after Satterthwaite), tested against one half by t; Holm's "
        "correction over all criteria and pairs."
    )
    found = [_effect_of(m, facts) for m in _matchups(facts, criterion)]
    return " ".join([method, *found]) if found else ""


def _effect_of(m: Json, facts: StudyFacts) -> str:
    pair = f"{m['system_b']} against {m['system_a']}"
    figure = m["band"] if m["band"] is not None else m["win_score_b"]
    if figure["estimate"] is None:
        return f"{pair}: not estimable, {figure['reason']}."
    limits = f"{100 * figure['low']:.1f} to {100 * figure['high']:.1f}"
    said = f"{pair}: win score {100 * figure['estimate']:.1f} % ({limits})"
    if m["band"] is not None:
        return f"{said}, a band, as the study still runs."
    return f"{said}, p {m['p']:.4f}, corrected {m['holm_p']:.4f}." if m["p"] is not None else f"{said}."


def _agreement(facts: StudyFacts, criterion: CriterionFacts) -> str:
    said = [_agreement_of(m) for m in _matchups(facts, criterion)]
    own = next((c["intra_annotator"] for c in _criteria(facts) if c["criterion"] == criterion.key), None)
    if own and own.get("same") is not None and own["same"].get("estimate") is not None:
        said.append(f"With themselves, on repeated comparisons: {100 * own['same']['estimate']:.1f} %.")
    elif said:
        said.append("With themselves: not measured, for no comparison was repeated.")
    return " ".join(said)


def _agreement_of(m: Json) -> str:
    alpha, percent = m["agreement"]["alpha_ordinal"], m["agreement"]["percent"]
    pair = f"{m['system_b']} against {m['system_a']}"
    if alpha["estimate"] is None:
        return f"{pair}: Krippendorff's alpha is not estimable, {alpha['reason']}."
    return (
        f"{pair}: Krippendorff's alpha, ordinal, {alpha['estimate']:.3f} (95 % {alpha['low']:.3f} to "
        f"{alpha['high']:.3f}, resampling dialogues); agreeing pairs {100 * percent:.1f} %."
    )


def _criteria(facts: StudyFacts) -> list[Json]:
    found: list[Json] = (facts.report or {}).get("criteria", [])
    return found


def _matchups(facts: StudyFacts, criterion: CriterionFacts) -> list[Json]:
    return [m for c in _criteria(facts) if c["criterion"] == criterion.key for m in c["matchups"]]


_OF_CRITERION: dict[str, Callable[[StudyFacts, CriterionFacts], str]] = {
    "4.2.2": _relative,
    "4.3.1": _shown_name,
    "4.3.2": lambda facts, criterion: criterion.definition,
    "4.3.3": lambda facts, criterion: str(len(facts.choices)),
    "4.3.4": lambda facts, criterion: "; ".join(facts.choices) + ".",
    "4.3.5": _presented,
    "4.3.6": lambda facts, criterion: "Does not apply: there is a scale.",
    "4.3.7": lambda facts, criterion: criterion.question,
    "4.3.8": _form,
    "4.3.9": _aggregated,
    "4.3.10": _effect,
    "4.3.11": _agreement,
}
