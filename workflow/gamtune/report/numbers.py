"""How numbers look on the page: few digits, a true minus sign, and a dash where there is none."""

from collections.abc import Iterable
from math import isnan, sqrt
from typing import Any

NOTHING = "–"
NORMAL_95 = 1.959964


def number(value: Any, digits: int = 3) -> str:
    """A setting: a number with at most so many significant digits, a vector's numbers alike, a text as it is.

    Examples
    --------
    >>> number(0.04), number(1e-6), number("300 200"), number([0.33333, 0.2]), number("relu"), number(None)
    ('0.04', '1e−06', '300 200', '0.333 0.2', 'relu', '–')
    """
    if _is_missing(value):
        return NOTHING
    if isinstance(value, list | tuple):
        return " ".join(number(item, digits) for item in value)
    if isinstance(value, str):
        return " ".join(_shortened(word, digits) for word in value.split(" "))
    if not isinstance(value, float):
        return str(value)
    return f"{value:.0f}" if abs(value) >= 10**digits else f"{value:.{digits}g}".replace("-", "−")


def figure(value: float | None, digits: int = 3) -> str:
    """A measured value: always so many significant digits, so that a column of them lines up.

    Examples
    --------
    >>> figure(0.04), figure(0.04552533), figure(1234.5), figure(None)
    ('0.0400', '0.0455', '1234', '–')
    """
    if _is_missing(value) or value is None:
        return NOTHING
    if abs(value) >= 10**digits:
        return f"{value:.0f}"
    return f"{value:#.{digits}g}".rstrip(".").replace("-", "−")


def _is_missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and isnan(value))


def _shortened(word: str, digits: int) -> str:
    """A number of a per-layer vector, which the tables hold as text."""
    try:
        return number(float(word), digits) if "." in word else word
    except ValueError:
        return word


def signed(value: float | None, digits: int = 2) -> str:
    """A difference, with its sign.

    Examples
    --------
    >>> signed(0.0012), signed(-0.0012), signed(None)
    ('+0.0012', '−0.0012', '–')
    """
    return NOTHING if value is None else f"{value:+.{digits}g}".replace("-", "−")


def percent(share: float) -> str:
    """A share of 1.

    Examples
    --------
    >>> percent(0.97222)
    '97.2\xa0%'
    """
    return f"{100 * share:.1f}\N{NO-BREAK SPACE}%"


def p_value(p: float) -> str:
    """A p-value of a permutation test; the smallest there is reads as a bound.

    Examples
    --------
    >>> p_value(0.001), p_value(0.0123), p_value(0.236)
    ('≤\xa0.001', '.012', '.236')
    """
    return "≤\N{NO-BREAK SPACE}.001" if p <= 0.001 else f"{p:.3f}".removeprefix("0")


def duration(seconds: float) -> str:
    """Seconds as a person says them.

    Examples
    --------
    >>> duration(42.3), duration(754), duration(9000)
    ('42 s', '12.6 min', '2.5 h')
    """
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.1f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def wilson_interval(right: int, rows: int) -> tuple[float, float]:
    """95 % interval of a share (Wilson 1927): unlike the textbook one it holds near 1, where good networks are.

    Examples
    --------
    >>> [round(end, 3) for end in wilson_interval(350, 360)]
    [0.95, 0.985]
    """
    share, square = right / rows, NORMAL_95**2 / rows
    centre = (share + square / 2) / (1 + square)
    half = sqrt(share * (1 - share) * square + square**2 / 4) / (1 + square)
    return centre - half, centre + half


def joined(words: Iterable[Any]) -> str:
    """A list in a sentence.

    Examples
    --------
    >>> joined(["a", "b", "c"])
    'a, b and c'
    """
    *others, last = map(str, words)
    return f"{', '.join(others)} and {last}" if others else last
