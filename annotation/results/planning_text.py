"""A plan and its outlook as text for a terminal."""

from annotation.results.planning import Line, Outlook, StudyPlan


def as_text(study_plan: StudyPlan) -> str:
    """The plan, what it promises, and its power curves as tables."""
    outlook = study_plan.outlook()
    return "\n\n".join(
        [_plan(study_plan), promise(study_plan, outlook), _sizes(study_plan, outlook), _effects(outlook)]
    )


def _plan(study_plan: StudyPlan) -> str:
    plan, spread = study_plan.plan, study_plan.plan.spread
    tests = f", {plan.tests} tests corrected together" if plan.tests > 1 else ""
    return (
        f"{plan.n_items:,} comparisons x {plan.k} judgements by {plan.n_annotators:,} annotators "
        f"({plan.n:,} judgements, about {plan.n / plan.n_annotators:.0f} each)\n"
        f"Standard deviations: dialogues {spread.item_sd:.3f}, annotators {spread.annotator_sd:.3f}, "
        f"rest {spread.rest_sd:.3f} ({study_plan.source})\n"
        f"Two-sided t test at level {plan.level:g}{tests}, {plan.df:.0f} degrees of freedom"
    )


def promise(study_plan: StudyPlan, outlook: Outlook) -> str:
    """What the plan can show, in sentences."""
    wanted = f"{100 * study_plan.wanted:.0f} %"
    expected = f"a win score of {score(study_plan.effect)}"
    said = [f"Power to find {expected}: {share(outlook.power)}."]
    if outlook.smallest_effect is None:
        said.append(f"No win score, not even 100 %, is found with power {wanted}.")
    else:
        said.append(
            f"Smallest effect found with power {wanted}: a win score of {score(outlook.smallest_effect)} "
            f"(or {score(-outlook.smallest_effect)}), {100 * outlook.smallest_effect:.1f} points from 50 %."
        )
    if outlook.items_needed is None:
        said.append(f"No number of comparisons gives {expected} power {wanted}: plan more annotators.")
    else:
        said.append(f"{outlook.items_needed:,} comparisons give {expected} power {wanted}.")
    return "\n".join(said)


def _sizes(study_plan: StudyPlan, outlook: Outlook) -> str:
    head = [f"{line.plan.n_annotators:,} annotators" for line in outlook.by_items]
    lines = _table(outlook.by_items)
    rows = [(f"{point.n_items:,}", *lines[point.n_items], effect(point.smallest_effect)) for point in outlook.sizes]
    title = f"Power to find a win score of {score(study_plan.effect)}, by comparisons and annotators"
    return _drawn(title, ["comparisons", *head, "smallest effect"], rows)


def _effects(outlook: Outlook) -> str:
    head = [f"{line.plan.n_items:,} comparisons" for line in outlook.by_effect]
    rows = [(score(x), *cells) for x, cells in _table(outlook.by_effect).items()]
    return _drawn("Power by true win score", ["win score", *head], rows)


def _table(lines: tuple[Line, ...]) -> dict[float, list[str]]:
    """Power of every line by x; a dash where a line has no such point."""
    every = sorted({x for line in lines for x, _ in line.points})
    points = [dict(line.points) for line in lines]
    return {x: [share(line[x]) if x in line else "-" for line in points] for x in every}


def _drawn(title: str, head: list[str], rows: list[tuple[str, ...]]) -> str:
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    drawn = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in (head, *rows)]
    return "\n".join([title, *(f"  {line}" for line in drawn)])


def score(effect_size: float) -> str:
    """A win score of 1/2 and an effect."""
    return f"{50 + 100 * effect_size:.1f} %"


def share(value: float) -> str:
    """A power in percent; what is not certain is not shown as certain."""
    return f"{100 * value:.0f} %" if value < 0.995 else "> 99 %"


def effect(size: float | None) -> str:
    """A distance from 50 % in points."""
    return "none" if size is None else f"{100 * size:.1f} points"
