"""The format of CSV files."""

from dataclasses import dataclass

SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe"}  # detected automatically
MISSING = ("", "NA", "NaN", "nan", "null", "NULL")  # words that stand for a missing value by default


@dataclass(frozen=True)
class Dialect:
    """Format of the cells of a CSV file.

    Attributes
    ----------
    separator : str, optional
        Character between two cells; None if it is detected.
    decimal : str
        Decimal separator of numbers, ``.`` or ``,``.
    encoding : str, optional
        Character encoding; None for UTF-8, or for UTF-16 and UTF-32 with a byte order mark.
    key : str
        Config key of these values, for messages; empty if the user cannot set them.
    """

    separator: str | None = None
    decimal: str = "."
    encoding: str | None = None
    key: str = ""

    def advice(self, setting: str, otherwise: str) -> str:
        """Return the advice of a message: another remedy, and the config key with this setting if there is a key."""
        return f"{otherwise}, or set {self.key}: {{{setting}}}" if self.key else otherwise

    @property
    def settings(self) -> dict[str, str]:
        """The values that differ from the defaults."""
        values = {"separator": self.separator, "decimal": self.decimal, "encoding": self.encoding}
        return {name: value for name, value in values.items() if value is not None and value != "."}


STANDARD = Dialect()


def separator_name(separator: str) -> str:
    """Return the name of a separator for messages.

    Examples
    --------
    >>> separator_name(";")
    "';' (semicolon)"
    """
    return f"{separator!r} ({SEPARATORS[separator]})" if separator in SEPARATORS else repr(separator)
