"""The summaries that the steps `fetch` and `sync` write; they also mark these steps as finished for Snakemake."""

from dataclasses import dataclass

from gamtune.results.json_artefact import JsonArtefact


class DownloadedSource(JsonArtefact):
    """The content of ``source.json``: the files of a public data set.

    Attributes
    ----------
    source : str
        Name of the data set in the config.
    sha256 : dict of str to str
        SHA-256 of the content of each file, by its path.
    """

    source: str
    sha256: dict[str, str]


@dataclass(frozen=True)
class Counts:
    """Numbers of runs by what a sync did; the ``resumed`` ones were incomplete, because their writer was killed."""

    added: int = 0
    resumed: int = 0
    unchanged: int = 0
    retired: int = 0

    def __str__(self) -> str:
        return f"{self.added} added, {self.resumed} resumed, {self.unchanged} unchanged, {self.retired} retired"


@dataclass(frozen=True)
class Champion:
    """The registered model, which is loaded as ``models:/<name>@champion``."""

    name: str
    version: str
    fingerprint: str


class Synced(JsonArtefact):
    """The content of ``synced.json``: what a sync did.

    Attributes
    ----------
    counts : Counts
        Number of runs per action.
    champion : Champion, optional
        The registered model, if there is an optimum.
    note : str
        A note for the user; empty if there is none.
    """

    counts: Counts
    champion: Champion | None
    note: str = ""

    def __str__(self) -> str:
        champion = f"\n{self.champion.name}@champion is version {self.champion.version}" if self.champion else ""
        return f"{self.counts}{champion}" + (f"\n{self.note}" if self.note else "")
