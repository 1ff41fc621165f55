"""Kinds of cells in a table."""

import re
from enum import Enum


class Cell(Enum):
    """Kind of a cell; the value completes the sentence "the cell is ..."."""

    NUMBER = "a number"
    INFINITE = "an infinite number"
    LONG = "a whole number with more digits than a floating-point number can represent"
    CODE = "a number with a leading zero"
    TRUTH = "a boolean"
    DATE = "a date or a time"
    NOTATION = "a number in another notation"
    WORD = "text"


EXACT = 2**53  # not all larger whole numbers can be represented in float64
PLAIN = r"(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
NUMBER = re.compile(rf"[+-]?{PLAIN}", re.ASCII)
WHOLE = re.compile(r"[+-]?\d+", re.ASCII)
LEADING_ZERO = r"^[+-]?0[0-9]+$"  # also used by pyarrow
INFINITE = re.compile(r"[+-]?(?:inf|infinity|∞)", re.IGNORECASE)
TRUTH = {"true": True, "false": False}
SWAPPED = str.maketrans(",.", ".,")

_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?)\.?"
)
_TIME = r"\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?:\s*[ap]\.?m\.?)?"
_ZONE = r"\s*(?:z|utc|gmt|[+-]\d{2}:?\d{2})?"
_DAY = r"(?:0?[1-9]|[12]\d|3[01])"
_NUMBER_OF_MONTH = r"(?:0?[1-9]|1[0-2])"
_YEAR = r"(?:1[0-9]|20|21)\d{2}"
_WEEKDAY = r"(?:(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?\.?,?\s+)?"
_DATES = (
    rf"{_YEAR}[-/.]{_NUMBER_OF_MONTH}[-/.]{_DAY}",
    rf"(?:{_DAY}[-/]{_NUMBER_OF_MONTH}|{_NUMBER_OF_MONTH}[-/]{_DAY})[-/](?:{_YEAR}|\d{{2}})",
    rf"{_DAY}\.\s?{_NUMBER_OF_MONTH}\.\s?{_YEAR}|\d{{2}}\.\d{{2}}\.\d{{2}}",
    rf"{_YEAR}-(?:0[1-9]|1[0-2])|(?:0[1-9]|1[0-2])/{_YEAR}",
    rf"{_DAY}(?:st|nd|rd|th)?[-\s.]+{_MONTH}[-\s,]*(?:{_YEAR}|\d{{2}})?",
    rf"{_MONTH}[-\s]+{_DAY}(?:st|nd|rd|th)?(?:[\s,]+{_YEAR})?",
    rf"{_MONTH}[-\s,]+{_YEAR}",
    rf"{_YEAR}年\d{{1,2}}月(?:\d{{1,2}}日)?",
)
_COMPACT = rf"{_YEAR}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"
_ISO_BASIC = rf"{_COMPACT}t\d{{4,6}}"
DATES = [
    re.compile(rf"{_WEEKDAY}(?:{date})(?:[T\s,]+{_TIME})?{_ZONE}", re.IGNORECASE) for date in (*_DATES, _ISO_BASIC)
]
DATES.append(re.compile(rf"{_TIME}{_ZONE}|\d+\s?days?,?\s+{_TIME}", re.IGNORECASE))

_SPACE = r"[ \u00a0\u2009\u202f'’_]"
_GROUPED = (
    r"\d{1,3}(?:,\d{3})+(?:\.\d*)?",  # 1,234.5
    r"\d{1,2}(?:,\d{2})+,\d{3}(?:\.\d*)?",  # 1,23,456.7
    r"\d{1,3}(?:\.\d{3})+(?:,\d*)?",  # 1.234,5
    rf"\d{{1,3}}(?:{_SPACE}\d{{3}})+(?:[.,]\d*)?",  # 1 234.5
    r"\d+(?:_\d+)+",
    r"\d*,\d+(?:[eE][+-]?\d+)?",  # 3,14
)
_SIGN = r"[+\-−–﹣－]?\s?"
_CURRENCY = r"(?:[$€£¥₹₽₩¢]|(?:USD|EUR|GBP|CHF|JPY|AUD|CAD|Rs\.?|kr\.?|Fr\.?)(?=[\s\d]))"
_UNIT = r"(?P<unit>[A-Za-zµμΩ°%‰²³/·€$£¥]{1,12})"
_VALUE = rf"(?:{'|'.join(_GROUPED)}|{PLAIN})"
NOTATION = re.compile(rf"{_SIGN}{_CURRENCY}?\s?{_SIGN}{_VALUE}(?:\s?{_UNIT})?[-−]?|0[xX][0-9a-fA-F]+")


def kind_of(text: str, decimal: str = ".") -> Cell:
    """Return the kind of a cell by its text, which has no surrounding spaces.

    Examples
    --------
    >>> [kind_of(text).name for text in ("1e3", "1,234", "007", "2024-02-07", "True", "n/a")]
    ['NUMBER', 'NOTATION', 'CODE', 'DATE', 'TRUTH', 'WORD']
    """
    if NUMBER.fullmatch(text if decimal == "." else text.translate(SWAPPED)):
        if WHOLE.fullmatch(text):
            digits = text.lstrip("+-")
            if len(digits) > 1 and digits[0] == "0":
                return Cell.CODE
            return Cell.LONG if len(digits) > 15 and abs(int(digits)) > EXACT else Cell.NUMBER
        return Cell.NUMBER
    if INFINITE.fullmatch(text):
        return Cell.INFINITE
    if text.lower() in TRUTH:
        return Cell.TRUTH
    if any(pattern.fullmatch(text) for pattern in DATES):
        return Cell.DATE
    return Cell.NOTATION if _is_notation(text) else Cell.WORD


def _is_notation(text: str) -> bool:
    """Return whether a text is a number in another notation, in brackets or with digits of another script."""
    inner = text[1:-1].strip() if text.startswith("(") and text.endswith(")") else text
    ascii_digits = "".join(str(int(sign)) if sign.isdecimal() else sign for sign in inner)
    return bool(NOTATION.fullmatch(ascii_digits))


def unit_of(text: str) -> str:
    """Return the unit after a number, or an empty text if there is none.

    Examples
    --------
    >>> unit_of("3 kg"), unit_of("1,234")
    ('kg', '')
    """
    match = NOTATION.fullmatch(text)
    return (match.group("unit") or "") if match else ""
