"""The properties of a study that tracking needs in addition to the files in its results."""

from dataclasses import dataclass
from pathlib import Path

from gamtune.config.study import Study
from gamtune.results.layout import Results, StudyFolder, tracking_lock
from gamtune.tracking.address import database_path


@dataclass(frozen=True)
class TrackedStudy:
    """A study and its tracking store.

    Attributes
    ----------
    name : str
        Name of the study: its folder, its experiment and its registered model.
    uri : str
        The tracking store: ``sqlite:///`` with a path, relative to the working directory or absolute, or the address of
        a server.
    results : Path
        Folder of all studies.
    stages : tuple of str
        Folders of the study's rounds or rungs.
    strategy : str
        The config's ``search.strategy``.
    source : str
        Source of its data: the name of a public data set, or the paths of its files.
    logarithmic : tuple of str
        Hyperparameters with a logarithmic prior.
    commit : str, optional
        Git commit of the library, which is stored in new runs.
    """

    name: str
    uri: str
    results: Path
    stages: tuple[str, ...] = ()
    strategy: str = ""
    source: str = ""
    logarithmic: tuple[str, ...] = ()
    commit: str | None = None

    @classmethod
    def of(cls, study: Study, results: Path, commit: str | None = None) -> "TrackedStudy":
        """Return the tracked study of a config.

        Parameters
        ----------
        study : Study
            The config.
        results : Path
            Folder of all studies.
        commit : str, optional
            Git commit of the library.
        """
        return cls(
            name=study.study,
            uri=study.tracking.uri,
            results=results,
            stages=tuple(study.search.stages),
            strategy=study.search.strategy,
            source=", ".join(study.data.paths.values()) or study.data.source,
            logarithmic=tuple(name for name, prior in study.space.items() if prior.logarithmic),
            commit=commit,
        )

    @property
    def folder(self) -> Path:
        """The folder of the results of the study."""
        return self.layout.path

    @property
    def layout(self) -> StudyFolder:
        """The paths of the results of the study."""
        return Results(self.results).study(self.name)

    @property
    def lock(self) -> Path:
        """Lock file of the tracking store, held by writers of the store and by commands that remove tracked files."""
        database = database_path(self.uri)
        return tracking_lock(self.results if database is None else database.parent)
