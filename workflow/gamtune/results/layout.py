"""The path of every file and folder below ``results/``.

`Results` is the folder of all studies, and `StudyFolder` is the folder of one study. No other module contains the name
of one of these files, except that `gamtune.results.record` holds the names that a training process needs and
`gamtune.results.store` holds those inside the store. An argument may be a wildcard of Snakemake instead of a number or
an id: ``study.trial("{trial}").record``. ``results/README.md`` describes the content of the files.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gamtune.results.record import MODEL, PARTS, RECORD, STATE, array_name

RESULTS = "results"  # relative to the working directory
STORE = "store"
ROUNDS, RUNGS = "rounds", "rungs"
TRIALS, CONFIRM, FINAL = "trials", "confirm", "final"
TRAINED = (TRIALS, ROUNDS, RUNGS, CONFIRM, FINAL)  # the folders of a study that hold trials
SELECTION, OPTIMUM, GAM, FIGURES = "selection", "optimum", "gam", "figures"
DATA_INFO, PREPROCESSING, SLOTS, LOG = "dataset.json", "preprocessing.json", "slots.csv", "log.txt"
SET_FILES = (DATA_INFO, PREPROCESSING, *(array_name(axis, part) for axis in "xy" for part in PARTS))  # of one data set


class File:
    """An attribute of a folder: the path of a file or folder in it.

    Parameters
    ----------
    name : str
        Path relative to the folder, with slashes.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, folder: "Folder", owner: type["Folder"]) -> Path:
        return folder.path / self._name


@dataclass(frozen=True)
class Folder:
    """A folder.

    Attributes
    ----------
    path : Path
        Its path.
    """

    path: Path


class TrialFolder(Folder):
    """The folder of one trial: of the table, a slot of a stage, a confirmation or a final trial."""

    record = File(RECORD)  # written last
    model = File(MODEL)
    state = File(STATE)  # after the last epoch; a longer trial continues from it
    log = File(LOG)


class StageFolder(Folder):
    """The folder of a stage: a round, a rung, the confirmations or the final trials."""

    slots = File(SLOTS)
    log = File(LOG)

    def slot(self, name: int | str) -> TrialFolder:
        """Return the folder of a slot."""
        return TrialFolder(self.path / str(name))


class DataFolder(Folder):
    """The folder of a prepared data set: ``data`` itself, or a folder in it for a fold or for the refit."""

    info = File(DATA_INFO)  # written last; every trial depends on it
    preprocessing = File(PREPROCESSING)
    compared = File(".checked.json")  # the arrays that have been compared with their fingerprints
    split = File("split.csv")
    columns = File("columns.csv")
    warnings = File("warnings.json")
    source = File("source.json")  # marks that a public data set has been downloaded

    def array(self, axis: str, part: str) -> Path:
        """Return the file of an array.

        Parameters
        ----------
        axis : str
            ``x`` for the inputs or ``y`` for the targets.
        part : str
            ``train``, ``validation`` or ``test``.
        """
        return self.path / array_name(axis, part)

    @property
    def set_files(self) -> list[Path]:
        """The files of one data set: its description, its preprocessing and its arrays."""
        return [self.path / name for name in SET_FILES]

    def fold(self, number: int | None) -> "DataFolder":
        """Return the folder of a fold, numbered from 1; without a number, this folder."""
        return DataFolder(self.path / f"fold_{number}") if number else self

    @property
    def folds(self) -> list["DataFolder"]:
        """The folders of the folds that exist."""
        return [DataFolder(path) for path in sorted(self.path.glob("fold_*"))]

    @property
    def refit(self) -> "DataFolder":
        """The data set of the refit, which trains on the training and validation samples."""
        return DataFolder(self.path / "refit")


class GamFolder(Folder):
    """The folder of the generalised additive model (GAM) of the error."""

    summary = File("summary.txt")
    warnings = File("warnings.txt")
    skipped = File("skipped.txt")  # the reason why there is no model
    model = File("model.csv")
    terms = File("terms.csv")
    effects = File("effects.csv")
    curves = File("curves.csv")
    surfaces = File("surfaces.csv")
    importance = File("importance.csv")

    @property
    def files(self) -> list[Path]:
        """All files that the folder may hold."""
        return [self.path / member._name for member in vars(GamFolder).values() if isinstance(member, File)]


class FigureFolder(Folder):
    """A folder of figures."""

    captions = File("captions.json")

    def picture(self, name: str) -> Path:
        """Return the PNG file of a figure."""
        return self.path / f"{name}.png"


class OptimumFolder(TrialFolder):
    """The folder of the optimum: an exported trial and its results on the test samples."""

    preprocessing = File(PREPROCESSING)
    predictions = File("predictions.csv")
    comparison = File("comparison.csv")
    tests = File("tests.csv")
    confusion = File("confusion_matrix.csv")
    weights = File("weights")

    @property
    def figures(self) -> FigureFolder:
        """The figures of the optimum."""
        return FigureFolder(self.path / FIGURES)

    def weight(self, variable: str) -> Path:
        """Return the file of a kernel or bias, whose name may contain slashes."""
        return self.weights / f"{variable.replace('/', '_')}.csv"


class StudyFolder(Folder):
    """The folder of one study, ``results/<study>``."""

    table = File("table.csv")
    summary = File("summary.csv")
    report = File("report.html")
    candidates = File(f"{SELECTION}/candidates.csv")
    support = File(f"{SELECTION}/support.csv")
    selection = File(f"{SELECTION}/selection.json")
    synced = File("tracking/synced.json")

    @property
    def data(self) -> DataFolder:
        """The prepared data."""
        return DataFolder(self.path / "data")

    @property
    def gam(self) -> GamFolder:
        """The additive model of the error."""
        return GamFolder(self.path / GAM)

    @property
    def figures(self) -> FigureFolder:
        """The figures of the search."""
        return FigureFolder(self.path / FIGURES)

    @property
    def optimum(self) -> OptimumFolder:
        """The optimum."""
        return OptimumFolder(self.path / OPTIMUM)

    def trial(self, trial: str) -> TrialFolder:
        """Return the folder of a trial of the table."""
        return TrialFolder(self.path / TRIALS / trial)

    def stage(self, name: str) -> StageFolder:
        """Return the folder of a stage.

        Parameters
        ----------
        name : str
            ``rounds/<number>``, ``rungs/<number>``, ``confirm`` or ``final``.
        """
        return StageFolder(self.path / name)

    def confirmation(self, candidate: str, replicate: int | str) -> TrialFolder:
        """Return the folder of a confirmation of a candidate, numbered from 1."""
        return TrialFolder(self.path / CONFIRM / candidate / str(replicate))

    def final(self, name: str, replicate: int | str) -> TrialFolder:
        """Return the folder of a final trial of the optimum or of a candidate, numbered from 1."""
        return TrialFolder(self.path / FINAL / name / str(replicate))

    def step_config(self, fingerprint: str) -> Path:
        """Return the file with the sections of the config that a step depends on."""
        return self.path / "config" / f"{fingerprint}.json"

    def log(self, step: str) -> Path:
        """Return the file with the output of a step."""
        return self.path / "logs" / f"{step}.txt"

    def relative(self, path: Path) -> str:
        """Return the path of a file relative to this folder, with slashes, as it is shown to users."""
        return path.relative_to(self.path).as_posix()

    def confirmations(self) -> list[tuple[str, str]]:
        """Return the candidate and the number of each confirmation whose folder exists."""
        return sorted((slot.parts[-2], slot.parts[-1]) for slot in (self.path / CONFIRM).glob("*/*/"))

    def finals(self) -> list[tuple[str, str]]:
        """Return the name and the number of each final trial whose folder exists."""
        found = [(slot.parts[-2], slot.parts[-1]) for slot in (self.path / FINAL).glob("*/[0-9]*/")]
        return sorted(found, key=lambda slot: (slot[0], int(slot[1])))

    def records(self) -> list[Path]:
        """Return the records that exist, of the table, its stages, the confirmations and the final trials."""
        return sorted(path for kind in TRAINED for path in self.path.glob(f"{kind}/**/{RECORD}"))

    def with_checksums(self) -> list[Path]:
        """Return the folders with files that have a checksum but are not declared to Snakemake one by one."""
        places = [self.path / name for name in (GAM, FIGURES, SELECTION, FINAL, OPTIMUM)]
        return sorted({path.parent for place in places for path in place.rglob(".*.sha256")})

    def tracked_files(self) -> list[Path]:
        """Return the tables, figures and the report that the run of the study in MLflow holds, if they exist."""
        stages = (f"{kind}/*/{SLOTS}" for kind in (ROUNDS, RUNGS))
        pictures, optimum = f"{FIGURES}/*.png", f"{OPTIMUM}/*.csv"
        others = (pictures, f"{GAM}/[!.]*", f"{SELECTION}/[!.]*", optimum, f"{OPTIMUM}/{pictures}")
        return [path for path in self._matching(self.table, *stages, self.summary, self.report, *others)]

    def _matching(self, *sought: Path | str) -> Iterator[Path]:
        for one in sought:
            found = [one] if isinstance(one, Path) else sorted(self.path.glob(one))
            yield from (path for path in found if path.is_file())


class Results(Folder):
    """The folder of all studies, ``results``."""

    store = File(STORE)  # the finished trials of all studies
    artifacts = File("mlartifacts")  # the files that a local MLflow shows

    def study(self, name: str) -> StudyFolder:
        """Return the folder of a study."""
        return StudyFolder(self.path / name)

    def folders(self) -> list[StudyFolder]:
        """Return every folder that may be the folder of a study."""
        return [StudyFolder(path) for path in sorted(self.path.glob("*")) if path.is_dir() and path != self.store]


def tracking_lock(folder: Path) -> Path:
    """Return the lock file of an MLflow store that keeps its files in a folder."""
    return folder / ".mlflow.lock"


def preprocessing_beside(model: Path) -> Path:
    """Return the file with the preprocessing that an exported model needs."""
    return model.with_name(PREPROCESSING)
