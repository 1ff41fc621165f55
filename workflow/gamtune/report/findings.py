"""The sentences of the report's summary: which configuration is best, how good it is and how reliable that is."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gamtune.gam.formula import parse_term
from gamtune.gam.rows import ModelRow, TermRow
from gamtune.numbers import measured, p_value, percent, rmse_note, signed
from gamtune.results.comparison import Score
from gamtune.results.csv_rows import FinalistTest
from gamtune.results.selection import Compared, Optimism, Selection

Line = Mapping[str, Any]
SIGNIFICANT = 0.05


def describe_search_results(
    best: Line, median: float, terms: Sequence[TermRow], model: ModelRow | None, part: str = "validation"
) -> list[str]:
    """Return sentences on the best configuration and on the effects of the hyperparameters.

    Parameters
    ----------
    best : mapping
        Line of the best configuration in the summary.
    median : float
        Median validation MSE of the configurations.
    terms : sequence of TermRow
        Terms of the model; empty if there is no model.
    model : ModelRow, optional
        Statistics of the model.
    part : {"validation", "test"}
        The samples that the errors are from.
    """
    root = rmse_note(best["validation_mse"], regression="validation_accuracy" not in best)
    error = f"{measured(best['validation_mse'])}{root}"
    sentences = [
        f"The best configuration, {best['name']}, has a {part} MSE of {error}. "
        f"The median over all configurations is {measured(median)}."
    ]
    if model is None:
        return sentences
    explained = (
        f"The generalised additive model (GAM) explains {percent(model.deviance_explained)} of the deviance of the "
        f"error (for pure noise: {percent(model.null_deviance_explained)})."
    )
    significant = sorted(
        (term for term in terms if term.p_adjusted <= SIGNIFICANT), key=lambda term: -term.deviance_share
    )
    if not significant:
        return [*sentences, f"No effect of a hyperparameter is significant. {explained}"]
    listed = joined(f"{_variables(term.term)} ({percent(term.deviance_share)})" for term in significant)
    shares = f"Significant effects, with their shares of the deviance: {listed}."
    rest = len(terms) - len(significant)
    others = f" The other {rest} of {len(terms)} terms are not distinguishable from noise." if rest else ""
    return [*sentences, f"{shares}{others} {explained}"]


def _variables(term: str) -> str:
    """Return the variables of a term of the model in words.

    Examples
    --------
    >>> _variables("s(log(l1))"), _variables("te(depth, sum_neurons)")
    ('l1', 'depth with sum_neurons')
    """
    return " with ".join(variable.column for variable in parse_term(term).variables)


def describe_reliability(selection: Selection, warnings: Sequence[str], regression: bool = False) -> list[str]:
    """Return sentences on how reliable the selection is.

    Parameters
    ----------
    selection : Selection
        The selection.
    warnings : sequence of str
        Warnings about hyperparameters of the optimum that are outside the range of the search.
    regression : bool
        Whether the target is a number. Errors are then also given in its units.
    """
    return [
        _compare_with_next(selection),
        _describe_replicates(selection, regression),
        *describe_optimism(selection.optimism, selection.selected_on),
        *([f"The optimum is outside the range of the search: {'; '.join(warnings)}."] if warnings else []),
    ]


def describe_test_scores(
    selection: Selection, test: Line, samples: int, over_seeds: Score | None, tests: Sequence[FinalistTest]
) -> list[str]:
    """Return sentences on the test scores of the exported model, its replicates and its references.

    Parameters
    ----------
    selection : Selection
        The selection.
    test : mapping
        Test metrics of the optimum.
    samples : int
        Number of test samples.
    over_seeds : Score, optional
        Mean test metrics of all final trials, if there are several.
    tests : sequence of FinalistTest
        The comparisons with the references.
    """
    return [
        _describe_test(test, samples, selection.selected_on),
        *([_describe_final_seeds(over_seeds)] if over_seeds else []),
        *map(_compare_on_test, tests),
    ]


def _compare_with_next(selection: Selection) -> str:
    """Return whether the next best candidate differs significantly from the selected one."""
    optimum = selection.selected
    others = [entry for entry in selection.candidates if entry is not optimum and entry.mean is not None]
    if not others:
        return "No other candidate could be compared with the optimum."
    nearest = min(others, key=lambda entry: entry.score)
    difference = f"by {signed(nearest.difference)} in mean {selection.selected_on} MSE"
    text = f"The next best candidate, {nearest.candidate} ({nearest.source}), differs from the optimum {difference}"
    if nearest.low is None or nearest.high is None:
        return f"{text}. A single seed gives no interval, so the order may be due to chance."
    verdict = "the difference is not significant"
    if nearest.low > 0:
        verdict = "the optimum is significantly better"
    elif nearest.high < 0:
        verdict = (
            f"the optimum is significantly worse, but smaller ({optimum.weights} weights instead of {nearest.weights})"
        )
    return f"{text} (95 % interval {signed(nearest.low)} to {signed(nearest.high)}): {verdict}."


def _describe_replicates(selection: Selection, regression: bool) -> str:
    """Return the mean error of the selected candidate over its confirmations."""
    optimum = selection.selected
    mean = f"{measured(optimum.score)}{rmse_note(optimum.score, regression=regression)}"
    if optimum.sd is None:
        return f"Its {selection.selected_on} MSE on a fresh weight seed is {mean}."
    interval = f"95 % interval {measured(optimum.mean_low)} to {measured(optimum.mean_high)}"
    return (
        f"The mean {selection.selected_on} MSE of the optimum over {optimum.n} fresh weight seeds is {mean}, with "
        f"{interval} and standard deviation {measured(optimum.sd, 2)}."
    )


def describe_optimism(optimism: Optimism | None, part: str = "validation") -> list[str]:
    """Return how optimistic the score of the best configuration in the search is; no sentence if it was not confirmed.

    Parameters
    ----------
    optimism : Optimism, optional
        The scores in the search and on fresh seeds.
    part : {"validation", "test"}
        The samples that the scores are from.
    """
    if optimism is None:
        return []
    difference = f"difference {signed(optimism.difference)}"
    significant = False
    if optimism.low is not None:
        difference += f", 95 % bootstrap interval {signed(optimism.low)} to {signed(optimism.high)}"
        significant = optimism.low > 0
    verdict = "no optimistic bias was found"
    if optimism.difference > 0:
        verdict = f"it {'is' if significant else 'may be'} optimistically biased, as the best of many noisy trials"
    return [
        f"The {part} MSE of the best configuration is {measured(optimism.observed)} in the search and "
        f"{measured(optimism.fresh_mean)} on fresh seeds ({difference}): {verdict}."
    ]


def _describe_test(test: Line, samples: int, selected_on: str) -> str:
    scored = f"The {samples} test samples were scored once, after the selection"
    if selected_on == "test":
        scored = (
            f"The {samples} test samples were also used for early stopping and model selection, so that these scores "
            "are optimistically biased"
        )
    if "accuracy" not in test:
        return f"{scored}: R² {measured(test['r2'])}, mean absolute error {measured(test['mae'])}."
    correct = round(test["accuracy"] * samples)
    low, high = wilson_interval(correct, samples)
    return (
        f"{scored}: {correct} predictions are correct, an accuracy of {percent(test['accuracy'])} "
        f"(95 % interval {percent(low)} to {percent(high)})."
    )


def _describe_final_seeds(score: Score) -> str:
    metrics = score.metrics
    mean = measured(metrics["mse"]) + rmse_note(metrics["mse"], regression="accuracy" not in metrics)
    return (
        f"The mean test MSE of the optimum over {score.n} weight seeds that were not used for the selection is {mean}, "
        f"with standard deviation {measured(metrics['mse_sd'], 2)}. The model of the first seed is exported."
    )


def _compare_on_test(test: FinalistTest) -> str:
    """Return how a reference compares with the optimum on the test set."""
    name, difference = test.against, test.difference
    mse = "MSE" if test.n == 1 else "mean MSE"
    relation = "the same" if difference == 0 else f"a {'higher' if difference > 0 else 'lower'}"
    details = [f"difference {signed(difference)}"]
    if test.p is not None:
        details.append(f"95 % interval {signed(test.low)} to {signed(test.high)}")
        details.append(f"paired t test over {test.n} common seeds, {p_in_words(test.p)}")
    text = (
        f"On the test set, the candidate {name} has {relation} {mse} {'as' if difference == 0 else 'than'} the optimum"
    )
    text += f" ({', '.join(details)})."
    if test.mcnemar_p is None:
        return text
    return (
        f"{text} Of the exported model and the first model of {name}, only the former is correct for "
        f"{test.only_optimum_right} samples, only the latter for {test.only_other_right} "
        f"(McNemar's test, {p_in_words(test.mcnemar_p)})."
    )


def p_in_words(p: float) -> str:
    """Return a p-value with its sign of equality or its bound."""
    text = p_value(p)
    return f"p {text}" if text.startswith("≤") else f"p = {text}"


def wilson_interval(successes: int, trials: int) -> tuple[float, float]:
    """Return the 95 % interval of a proportion (Wilson 1927), which also holds for proportions near 1.

    Examples
    --------
    >>> [round(end, 3) for end in wilson_interval(350, 360)]
    [0.95, 0.985]
    """
    from scipy.stats import binomtest  # half a second to import

    interval = binomtest(successes, trials).proportion_ci(method="wilson")
    return float(interval.low), float(interval.high)


def joined(words: Iterable[Any]) -> str:
    """Return a list in words.

    Examples
    --------
    >>> joined(["a", "b", "c"])
    'a, b and c'
    """
    *others, last = map(str, words)
    return f"{', '.join(others)} and {last}" if others else last


@dataclass(frozen=True)
class Strip:
    """Position of a candidate's interval on a common axis, in per cent of the width of the axis."""

    left: float
    width: float
    dot: float


def interval_strips(candidates: Sequence[Compared]) -> tuple[dict[str, Strip], float]:
    """Return the positions of all differences from the optimum, with their intervals, and of zero on one axis.

    Parameters
    ----------
    candidates : sequence of Compared
        The candidates. Those without a difference have no strip.

    Returns
    -------
    strips : dict of str to Strip
        The strips by the names of the candidates.
    zero : float
        Position of zero, in per cent.
    """
    spans = {
        entry.candidate: [entry.difference if end is None else end for end in (entry.low, entry.high)]
        for entry in candidates
        if entry.difference is not None
    }
    ends = [0.0, *(end for span in spans.values() for end in span)]
    low = min(ends)
    width = max(ends) - low or 1.0

    def position(value: float) -> float:
        return round(float(4 + 92 * (value - low) / width), 2)  # room for the dots at both ends

    differences = {entry.candidate: entry.difference or 0.0 for entry in candidates}
    strips = {
        name: Strip(position(left), round(position(right) - position(left), 2), position(differences[name]))
        for name, (left, right) in spans.items()
    }
    return strips, position(0.0)


def most_frequent_confusion(header: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """Return a sentence on the two classes that are confused most often.

    Parameters
    ----------
    header : sequence of str
        ``actual``, the classes, ``error``, ``rate``.
    lines : sequence
        One line per class, then the totals.
    """
    classes = header[1:-2]
    counts = [
        (int(cell), line[0], predicted)
        for line in lines[:-1]
        for predicted, cell in zip(classes, line[1:-2], strict=True)
        if predicted != line[0]
    ]
    count, actual, predicted = max(counts, key=lambda entry: entry[0])
    if count == 0:
        return "All predictions are correct."
    if count == 1:
        return "No two classes are confused more than once."
    return f"Most frequent confusion: {actual} predicted as {predicted}, {count} times."
