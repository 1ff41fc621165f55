"""Errors that are recorded as failed trials; every other error fails the job of the trial."""


class DivergedError(Exception):
    """The loss or a prediction is not finite.

    Attributes
    ----------
    history : dict
        The epochs before, in the form of `gamtune.learners.mlp.loop.History.to_dict`.
    """

    def __init__(self, message: str, history: dict[str, list[float]]) -> None:
        super().__init__(message)
        self.history = history


class ImpossibleError(Exception):
    """The configuration cannot be trained on this data set."""
