"""What the report says beyond the tables: the sentences that answer which, how good and how sure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gamtune.numbers import measured, p_value, percent, rmse_note, signed
from gamtune.results.comparison import Score
from gamtune.results.selection import Compared, Optimism, Selection

Row = Mapping[str, Any]
SIGNIFICANT = 0.05


def what_was_found(best: Row, median: float, terms: Sequence[Row], model: Row | None) -> list[str]:
    """Sentences on the rows tried and on what the model says of them.

    Parameters
    ----------
    best : mapping
        The best row of the summary.
    median : float
        The median row's error.
    terms : sequence of mapping
        Lines of ``terms.csv``; empty where there is no model.
    model : mapping, optional
        ``model.csv``.
    """
    root = rmse_note(best["validation_mse"], regression="validation_accuracy" not in best)
    errors = f"{measured(best['validation_mse'])}{root}, the median {measured(median)}"
    said = [f"The best row, {best['name']}, has validation MSE {errors}."]
    if model is None:
        return said
    clear = sorted(
        (term for term in terms if term["p_adjusted"] <= SIGNIFICANT), key=lambda term: -float(term["deviance_share"])
    )
    explained = (
        f"a model of the error explains {percent(model['deviance_explained'])} of its deviance, where noise gives "
        f"{percent(model['null_deviance_explained'])}"
    )
    if not clear:
        return [*said, f"No parameter's effect can be told from noise ({explained})."]
    listed = joined(f"{term['term']} ({percent(term['deviance_share'])} of the deviance)" for term in clear)
    rest = len(terms) - len(clear)
    return [*said, f"What matters: {listed}; {rest} of {len(terms)} terms cannot be told from noise ({explained})."]


def how_sure(selection: Selection, warnings: Sequence[str], regression: bool = False) -> list[str]:
    """Sentences on how far to trust the choice, from the strongest doubt to the weakest.

    Parameters
    ----------
    selection : Selection
        The selection.
    warnings : sequence of str
        Where the optimum's settings lie beyond the rows tried.
    regression : bool
        Whether the target is a number; then errors are given in its units too.
    """
    return [
        *_against_others(selection.candidates, selection.selected),
        _over_seeds(selection.selected, regression),
        *winners_curse(selection.optimism),
        *([f"Beyond what the search tried: {'; '.join(warnings)}."] if warnings else []),
    ]


def what_it_scores(
    selection: Selection, test: Row, test_rows: int, over_seeds: Score | None, tests: Sequence[Row]
) -> list[str]:
    """Sentences on the test rows: the exported network, its other seeds, and what it is compared with.

    Parameters
    ----------
    selection : Selection
        The selection.
    test : mapping
        The optimum's test metrics.
    test_rows : int
        How many rows it was scored on.
    over_seeds : Score, optional
        Mean test metrics of all final trainings, where there are several.
    tests : sequence of mapping
        Lines of ``tests.csv``.
    """
    return [
        _on_test(test, test_rows, selection.selection),
        *([_test_over_seeds(over_seeds)] if over_seeds else []),
        *map(_tested, tests),
    ]


def _against_others(candidates: Sequence[Compared], winner: Compared) -> list[str]:
    others = [entry for entry in candidates if entry is not winner and entry.mean is not None]
    if not others:
        return ["No other candidate could be compared with it."]
    nearest = min(others, key=lambda entry: entry.score)
    gap = f"Next best is {nearest.candidate}, {signed(nearest.difference)} in mean validation MSE"
    if nearest.low is None or nearest.high is None:
        return [f"{gap}; a single seed gives no interval, so the order may be chance."]
    verdict = "the two cannot be told apart at 95 %"
    if nearest.low > 0:
        verdict = "the optimum is better at 95 %"
    elif nearest.high < 0:
        verdict = f"the optimum is worse at 95 %, but smaller ({winner.weights} weights, not {nearest.weights})"
    return [f"{gap} (95 % interval {signed(nearest.low)} to {signed(nearest.high)}): {verdict}."]


def _over_seeds(winner: Compared, regression: bool) -> str:
    mean = f"Mean validation MSE {measured(winner.score)}{rmse_note(winner.score, regression=regression)}"
    if winner.sd is None:
        return f"{mean} on {winner.n} fresh weight seed."
    interval = f"95 % interval {measured(winner.mean_low)} to {measured(winner.mean_high)}"
    return f"{mean} ({interval}), standard deviation {measured(winner.sd, 2)}, over {winner.n} fresh weight seeds."


def winners_curse(optimism: Optimism | None) -> list[str]:
    """By how much the best row's own score is too good; nothing where no row was trained again."""
    if optimism is None:
        return []
    fresh = f"{measured(optimism.fresh_mean)} on fresh seeds"
    by = signed(optimism.difference)
    if optimism.low is not None:
        by += f", 95 % bootstrap interval {signed(optimism.low)} to {signed(optimism.high)}"
    if optimism.difference <= 0:
        return [f"The search did not flatter its best row: {measured(optimism.observed)} when chosen, {fresh} ({by})."]
    return [
        f"The search flattered its best row ({optimism.row}): {measured(optimism.observed)} when chosen, "
        f"{fresh}; of many noisy rows the best is partly the luckiest ({by})."
    ]


def _on_test(test: Row, rows: int, selection: str) -> str:
    when = "are what every choice looked at" if selection == "test" else "were scored once, after every choice"
    if "accuracy" not in test:
        return f"The {rows} test rows {when}: R² {measured(test['r2'])}, mean absolute error {measured(test['mae'])}."
    right = round(test["accuracy"] * rows)
    low, high = wilson_interval(right, rows)
    return (
        f"The {rows} test rows {when}: {right} right, {percent(test['accuracy'])} "
        f"(95 % interval {percent(low)} to {percent(high)})."
    )


def _test_over_seeds(score: Score) -> str:
    row = score.metrics
    mean = measured(row["mse"]) + rmse_note(row["mse"], regression="accuracy" not in row)
    spread = f"mean test MSE {mean}, standard deviation {measured(row['mse_sd'], 2)}"
    return f"On {score.n} weight seeds that no choice has seen, the first of them exported: {spread}."


def _tested(test: Row) -> str:
    """The optimum beside one of its references on the test rows."""
    text = f"On the test rows, {test['against']} is {signed(test['difference'])} in mean MSE from the optimum"
    if test["p"] is not None:
        interval = f"95 % interval {signed(test['low'])} to {signed(test['high'])}"
        text += f" over {test['n']:.0f} common seeds ({interval}, paired t test p {p_value(test['p'])})"
    if test["mcnemar_p"] is None:
        return f"{text}."
    return (
        f"{text}; the exported network alone is right in {test['only_optimum_right']:.0f} rows, the other alone in "
        f"{test['only_other_right']:.0f} (McNemar p {p_value(test['mcnemar_p'])})."
    )


def wilson_interval(right: int, rows: int) -> tuple[float, float]:
    """95 % interval of a share (Wilson 1927): unlike the textbook one it holds near 1, where good networks are.

    Examples
    --------
    >>> [round(end, 3) for end in wilson_interval(350, 360)]
    [0.95, 0.985]
    """
    from scipy.stats import binomtest  # half a second to import

    interval = binomtest(right, rows).proportion_ci(method="wilson")
    return float(interval.low), float(interval.high)


def joined(words: Iterable[Any]) -> str:
    """A list in a sentence.

    Examples
    --------
    >>> joined(["a", "b", "c"])
    'a, b and c'
    """
    *others, last = map(str, words)
    return f"{', '.join(others)} and {last}" if others else last


@dataclass(frozen=True)
class Strip:
    """Where a candidate's interval lies on a common axis, in per cent of its width."""

    left: float
    width: float
    dot: float


def interval_strips(candidates: Sequence[Compared]) -> tuple[dict[str, Strip], float]:
    """Each candidate's difference to the winner and its interval as places on one axis, and where zero lies on it."""
    spans = {
        entry.candidate: [entry.difference if end is None else end for end in (entry.low, entry.high)]
        for entry in candidates
        if entry.difference is not None
    }
    ends = [0.0, *(end for span in spans.values() for end in span)]
    low = min(ends)
    width = max(ends) - low or 1.0

    def place(value: float) -> float:
        return round(float(4 + 92 * (value - low) / width), 2)  # room for the dots at both ends

    differences = {entry.candidate: entry.difference or 0.0 for entry in candidates}
    strips = {
        name: Strip(place(left), round(place(right) - place(left), 2), place(differences[name]))
        for name, (left, right) in spans.items()
    }
    return strips, place(0.0)


def commonest_confusion(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """The pair of classes that is mixed up most, in a sentence.

    Parameters
    ----------
    header : sequence of str
        ``actual``, the classes, ``error``, ``rate``.
    rows : sequence
        One a class, then the totals.
    """
    classes = header[1:-2]
    counts = [
        (int(cell), row[0], predicted)
        for row in rows[:-1]
        for predicted, cell in zip(classes, row[1:-2], strict=True)
        if predicted != row[0]
    ]
    count, actual, predicted = max(counts, key=lambda entry: entry[0])
    if count == 0:
        return "No row was misjudged."
    return (
        f"Most frequent confusion: {actual} taken for {predicted}, {count} times."
        if count > 1
        else ("No two classes are confused more than once.")
    )
