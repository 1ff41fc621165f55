"""Exceptions of the engine: each message is one line that names the invalid term, column or row."""


class GamError(ValueError):
    """A formula or a table that the engine cannot use.

    Parameters
    ----------
    problem : str
        What is wrong and what to do. Line breaks and control characters are escaped, so that the message is one line.
    """

    def __init__(self, problem: str) -> None:
        super().__init__("".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in problem))


class FormulaError(GamError):
    """A formula that cannot be read, or that names a column which the table does not have."""


class DataError(GamError):
    """A table whose values do not support the model, such as text in a smooth term or two collinear terms."""


class TooFewRows(DataError):
    """A table that has fewer usable rows than the model has coefficients."""
