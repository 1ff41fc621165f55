"""Hides the runs of trainings that were pruned."""

from collections.abc import Collection
from pathlib import Path

from gamtune.tracking.address import absolute_uri, database_path
from gamtune.tracking.runs import list_runs, retire_run
from gamtune.tracking.store import find_experiment, open_store


def forget_runs(study: str, uri: str, results: Path, keys: Collection[str]) -> int:
    """Hide the runs with some keys; they can be restored until ``mlflow gc``.

    Parameters
    ----------
    study : str
        Name of the study; one that the store does not know has no runs.
    uri : str
        The tracking store.
    results : Path
        Folder of all studies.
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
    database = database_path(uri)
    if (database is not None and not database.exists()) or find_experiment(study, absolute_uri(uri)) is None:
        return 0
    with open_store(study, uri, results) as store:
        hidden = [run for run in list_runs(store) if run.key in keys]
        for run in hidden:
            retire_run(store, run, "pruned")
    return len(hidden)
