"""Errors that are recorded as failed trials; every other error of a training fails its job."""


class DivergedError(Exception):
    """The loss or a prediction is no longer a number.

    Attributes
    ----------
    history : dict
        The epochs before, as `gamtune.learners.mlp.loop.History.to_dict` returns them.
    """

    def __init__(self, message: str, history: dict[str, list[float]]) -> None:
        super().__init__(message)
        self.history = history


class ImpossibleError(Exception):
    """The configuration cannot be trained on this data set."""
