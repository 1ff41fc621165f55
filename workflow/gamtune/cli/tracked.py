"""The tracked study of a config, for the commands that use the tracking store."""

from pathlib import Path

from gamtune.config.load import read_study
from gamtune.results.layout import RESULTS
from gamtune.tracking.study import TrackedStudy


def tracked_study(config: str, commit: str | None = None) -> TrackedStudy:
    """Return the study of a config file.

    Parameters
    ----------
    config : str
        Path of the file.
    commit : str, optional
        Git commit of the library, which is stored in each run.

    Raises
    ------
    InputError
        If the config is invalid.
    """
    return TrackedStudy.of(read_study(config), Path(RESULTS), commit)
