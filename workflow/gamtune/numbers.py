"""Format numbers for the terminal, the report, captions, figures, logs and MLflow.

Measured values are printed with significant digits, so that a non-zero value is never printed as 0.0000. CSV and JSON
files contain unrounded numbers instead.
"""

from collections.abc import Sequence
from math import floor, isfinite, isnan, log10, sqrt
from numbers import Integral
from typing import Any

NOT_AVAILABLE = "–"
POSITIONAL = (1e-4, 1e7)  # outside this range a number is written with an exponent
ALIGNED_UP_TO = 1e9  # value / spread; beyond it, the digits of the value are not aligned with those of the spread
SUBNORMAL = 1e-300  # smaller numbers have fewer digits, and powers of ten may underflow
MOST_DECIMALS = 4  # of a percentage
MOST_DIGITS = 17  # enough to distinguish any two float64 numbers


def significant(value: Any, digits: int = 4, *, zeros: bool = True) -> str:
    """Return a number rounded to a fixed number of significant digits.

    Parameters
    ----------
    value : number, optional
        None and NaN are written as a dash, and integers are not rounded.
    digits : int
        Number of significant digits. All digits before the decimal point are kept.
    zeros : bool
        Whether to keep trailing zeros, so that the numbers of a column have equal numbers of digits.

    Returns
    -------
    str
        The number, with an exponent if it is below 0.0001 or at least 10 million.

    Examples
    --------
    >>> significant(0.0335219), significant(0.04), significant(0.04, zeros=False), significant(1234567.8)
    ('0.03352', '0.04000', '0.04', '1234568')
    >>> significant(0.00002345), significant(-2.345e-52), significant(1.7e9), significant(0.0), significant(None)
    ('2.345e-05', '-2.345e-52', '1.700e+09', '0', '–')
    """
    if value is None:
        return NOT_AVAILABLE
    if isinstance(value, Integral):
        return str(value)
    if isnan(value):
        return NOT_AVAILABLE
    if value == 0 or not isfinite(value):
        return f"{value:g}".removeprefix("-" if value == 0 else "")
    scientific = f"{value:.{digits - 1}e}"
    exponent = int(scientific.partition("e")[2])
    if POSITIONAL[0] <= abs(float(scientific)) < POSITIONAL[1]:
        text = f"{value:.{max(digits - 1 - exponent, 0)}f}"
        return text if zeros or "." not in text else text.rstrip("0").rstrip(".")
    if zeros:
        return scientific
    mantissa, _, power = scientific.partition("e")
    return f"{mantissa.rstrip('0').rstrip('.') if '.' in mantissa else mantissa}e{power}"


def with_spread(value: float, spread: float | None, digits: int = 2) -> str:
    """Return a value and its spread, such as a standard deviation, with the same number of decimals.

    The smaller of the two has at least ``digits`` significant digits.

    Examples
    --------
    >>> with_spread(0.0181, 0.00692), with_spread(0.0003, 0.12), with_spread(2.347e-52, 1.2e-53), with_spread(0.5, None)
    ('0.0181 ± 0.0069', '0.00030 ± 0.12000', '(2.35 ± 0.12)e-52', '0.5000')
    """
    if spread is None or not isfinite(spread) or not isfinite(value):
        return significant(value)
    if spread == 0 or abs(value) > ALIGNED_UP_TO * spread or max(abs(value), spread) < SUBNORMAL:
        return f"{significant(value)} ± {significant(spread, digits)}"
    smaller = min(abs(value), spread) or spread
    largest = max(abs(value), spread)
    exponent = 0 if largest >= POSITIONAL[0] and spread < POSITIONAL[1] else floor(log10(largest))
    magnitude = floor(log10(float(f"{smaller:.{digits - 1}e}")))
    decimals = max(min(digits - 1 - magnitude + exponent, MOST_DIGITS), 0)
    text = " ± ".join(f"{number / 10.0**exponent:.{decimals}f}" for number in (value, spread))
    return f"({text})e{exponent:+03d}" if exponent else text


def measured(value: float | None, digits: int = 3) -> str:
    """Return a measured value for the report and captions, with three significant digits and a minus sign (U+2212).

    Examples
    --------
    >>> measured(0.04552533), measured(0.04), measured(1234.5), measured(-0.231), measured(None)
    ('0.0455', '0.0400', '1234', '−0.231', '–')
    """
    return typeset(significant(value, digits))


def rmse_note(mse: float | None, *, regression: bool) -> str:
    """Return the root mean squared error (RMSE) in brackets, to be printed after the MSE of a regression.

    Examples
    --------
    >>> rmse_note(0.04, regression=True), rmse_note(0.04, regression=False)
    (' (RMSE 0.200)', '')
    """
    return f" (RMSE {measured(sqrt(mse))})" if regression and mse is not None else ""


def compact(value: Any, digits: int = 3) -> str:
    """Return a setting as text: numbers, also in vectors, without trailing zeros, and text unchanged.

    Examples
    --------
    >>> compact(0.04), compact(1e-6), compact("300 200"), compact([0.33333, 0.2]), compact("relu"), compact(None)
    ('0.04', '1e-06', '300 200', '0.333 0.2', 'relu', '–')
    """
    if isinstance(value, list | tuple):
        return " ".join(compact(item, digits) for item in value)
    if isinstance(value, str):
        return " ".join(_word(word, digits) for word in value.split(" "))
    return str(value) if isinstance(value, bool) else significant(value, digits, zeros=False)


def _word(word: str, digits: int) -> str:
    """Return a word of a setting, rounded if it is a number, since tables contain per-layer vectors as text."""
    try:
        return significant(float(word), digits, zeros=False) if "." in word or "e-" in word else word
    except ValueError:
        return word


def signed(value: float | None, digits: int = 2) -> str:
    """Return a difference with its sign.

    Examples
    --------
    >>> signed(0.0012), signed(-0.0012), signed(0.0), signed(None)
    ('+0.0012', '−0.0012', '0', '–')
    """
    text = typeset(significant(value, digits, zeros=False))
    return f"+{text}" if value is not None and value > 0 else text


def typeset(text: str) -> str:
    """Return the text of a number with a minus sign (U+2212); an exponent keeps its hyphen, so that it can be copied.

    Examples
    --------
    >>> typeset("-2.3e-05"), typeset("0.5")
    ('−2.3e-05', '0.5')
    """
    return "−" + text[1:] if text.startswith("-") else text


def percent(share: float, decimals: int = 1) -> str:
    """Return a fraction as a percentage.

    Decimals are added if the percentage would otherwise be rounded to 0 % or 100 %.

    Examples
    --------
    >>> percent(0.97222), percent(0.44, 0), percent(0.99996), percent(0.0002), percent(2.3e-9), percent(0.0)
    ('97.2 %', '44 %', '99.996 %', '0.02 %', '2.3e-07 %', '0.0 %')
    """
    if not isfinite(share):
        return NOT_AVAILABLE
    lacking = abs(1 - share) if share > 0.5 else abs(share)
    needed = -floor(log10(100 * lacking)) if lacking else 0
    if share < 0.5 and needed > MOST_DECIMALS:
        return f"{significant(100 * share, 2)} %"
    return f"{100 * share:.{min(max(decimals, needed), MOST_DECIMALS)}f} %"


def p_value(p: float) -> str:
    """Return a p-value; 0.001, the smallest p-value of 1,000 permutations, is written as a bound.

    Examples
    --------
    >>> p_value(0.001), p_value(0.0123), p_value(0.236)
    ('≤\xa00.001', '0.012', '0.236')
    """
    return "≤\N{NO-BREAK SPACE}0.001" if p <= 0.001 else f"{p:.3f}"


def duration(seconds: float) -> str:
    """Return a duration in seconds, minutes or hours.

    Examples
    --------
    >>> duration(0.34), duration(42.3), duration(754), duration(9000)
    ('0.34 s', '42 s', '12.6 min', '2.5 h')
    """
    if seconds < 90:
        return f"{significant(float(seconds), 2)} s"
    return f"{seconds / 60:.1f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def labels(values: Sequence[float], digits: int = 4) -> list[str]:
    """Return axis labels with the smallest number of digits, at least ``digits``, that distinguishes the values.

    Examples
    --------
    >>> labels([0.0, 0.00005, 0.0001]), labels([1.7e9, 1.7e9 + 20, 1.7e9 + 40])
    (['0', '5e-05', '0.0001'], ['1.7e+09', '1.70000002e+09', '1.70000004e+09'])
    """
    numbers = [float(value) for value in values]
    different = len({number for number in numbers if not isnan(number)})
    for count in range(digits, MOST_DIGITS + 1):
        texts = [significant(number, count, zeros=False) for number in numbers]
        if len({*texts} - {NOT_AVAILABLE}) == different:
            break
    return texts
