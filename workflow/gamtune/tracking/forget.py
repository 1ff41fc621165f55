"""Hides the runs of trainings that were pruned."""

from collections.abc import Collection

from gamtune.tracking.runs import list_runs, retire_run
from gamtune.tracking.store import find_experiment, open_store
from gamtune.tracking.study import TrackedStudy


def forget_runs(study: TrackedStudy, keys: Collection[str]) -> int:
    """Hide the runs with some keys; they can be restored until ``mlflow gc``.

    Parameters
    ----------
    study : TrackedStudy
        One that the store does not know has no runs.
    keys : collection of str
        Values of the tag ``gamtune.key``.

    Returns
    -------
    int
        How many were hidden.

    Raises
    ------
    TrackingError
        If the store cannot be reached, read or written.
    """
    if find_experiment(study) is None:
        return 0
    with open_store(study) as store:
        hidden = [run for run in list_runs(store) if run.key in keys]
        for run in hidden:
            retire_run(store, run, "pruned")
    return len(hidden)
