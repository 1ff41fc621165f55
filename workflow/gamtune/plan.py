"""What the workflow has to know of a study before anything runs: its trials, its slots, and what each step is told."""

import json
import os
import re
from functools import cached_property
from pathlib import Path
from typing import Any

from gamtune.analysis.planned_formula import check_planned, hints, logged_columns
from gamtune.config.data_section import PUBLIC
from gamtune.config.load import parse_study
from gamtune.config.search import TABLE
from gamtune.config.study import BY_HAND_NOTES, Study
from gamtune.data.header import check_header
from gamtune.errors import InputError
from gamtune.files import sha256_of, write_text
from gamtune.results.layout import RESULTS, SET_FILES, Results, StudyFolder
from gamtune.results.record import MODEL, STATE
from gamtune.runtime.fingerprint import LIBRARY, code_fingerprint
from gamtune.search.proposals import FILE as PROPOSALS
from gamtune.search.table import build_table, cells, complete, derived_columns, table_columns
from gamtune.search.usage import unused_reason
from gamtune.selection.contenders import contenders
from gamtune.selection.slots import slots
from gamtune.slots import Row
from gamtune.spec import Spec, canonical_json, digest

PATTERN = re.compile("[{}<>]")  # Snakemake's wildcards and path variables


class Plan:
    """A checked study and everything that follows from it without training.

    Raises
    ------
    InputError
        If the config is wrong; also where only the table shows it (a formula's unknown column, an impossible row).
    """

    def __init__(self, raw: Any, source: str) -> None:
        self.config: Study = parse_study(raw, source)
        self._step_configs: dict[str, str] = {}
        try:
            self.rows: list[Row] = build_table(self.config)
            self._check()
        except InputError as error:
            raise error.within(source) from None

    @property
    def name(self) -> str:
        """The study's name."""
        return self.config.study

    def path(self, relative: str = "") -> str:
        """A path among the study's results, relative to the working directory."""
        return os.path.join(RESULTS, self.name, relative) if relative else os.path.join(RESULTS, self.name)

    @property
    def layout(self) -> StudyFolder:
        """The paths of the results of the study."""
        return Results(Path(RESULTS)).study(self.name)

    @property
    def store(self) -> str:
        """Folder of all finished trainings, of whatever study."""
        return str(Results(Path(RESULTS)).store)

    @cached_property
    def trials(self) -> dict[str, Spec]:
        """The table's trainings by their ids."""
        return {row.spec.trial: row.spec for row in self.rows}

    @cached_property
    def stages(self) -> list[str]:
        """Folders of the study's rounds or rungs, in their order."""
        return self.config.search.stages

    @cached_property
    def slots(self) -> list[int]:
        """How many rows each of them has."""
        return self.config.search.stage_slots(len(self.rows))

    @cached_property
    def table_records(self) -> list[str]:
        """Paths of the records of the table's trainings, in its order."""
        return [self.path(f"trials/{trial}/record.json") for trial in self.trials]

    @cached_property
    def records(self) -> list[str]:
        """Paths of the trials' records: the table's, then those of its rounds or rungs."""
        return [*self.table_records, *(record for stage in self.stages for record in self._stage_records(stage))]

    @cached_property
    def files(self) -> list[str]:
        """Paths of every file and folder that a finished study consists of, but for the data and the logs."""
        confirmed = [f"confirm/{name}/{number}/record.json" for name in self.candidates for number in self.replicates]
        final = [f"final/{name}/{number}/record.json" for name in self.contenders for number in self.finals]
        optimum = ("record.json", "model.keras", "preprocessing.json", "comparison.csv", "tests.csv", "predictions.csv")
        decision = ("decision/candidates.csv", "decision/support.csv", "decision/decision.json")
        analysis = ("table.csv", "summary.csv", "gam", "figures", "optimum/weights", "optimum/figures", "report.html")
        others = [*confirmed, *final, *(f"optimum/{name}" for name in optimum), *decision, *analysis]
        return [*self.records, *self.proposals, *map(self.path, others)]

    @cached_property
    def proposals(self) -> list[str]:
        """The files that fill the slots of rounds or rungs."""
        return [self._proposals(stage) for stage in self.stages]

    def before(self, stage: str) -> list[str]:
        """Files that the rows of a round or rung are proposed from."""
        files = []
        for source in self.config.search.sources(self._number(stage)):
            files += self.table_records if source == TABLE else [self._proposals(source), *self._stage_records(source)]
        return files

    def _number(self, stage: str) -> int:
        return self.stages.index(stage) + 1

    def _proposals(self, stage: str) -> str:
        return self.path(f"{stage}/{PROPOSALS}")

    def _stage_records(self, stage: str) -> list[str]:
        slots = self.slots[self._number(stage) - 1]
        return [self.path(f"{stage}/{slot}/record.json") for slot in range(1, slots + 1)]

    @property
    def models(self) -> list[str]:
        """What a training leaves beside its record unless it is the optimum's: its model, or nothing."""
        return [MODEL] if self.config.training.keep_models == "all" else []

    def leaves(self, stage: str | None = None) -> list[str]:
        """The same for a training of a round or rung, or of the table: its state too, if a rung may go on from it."""
        goes_on = self.config.search.resumes and stage != self.stages[-1]
        return [*self.models, STATE] if goes_on else self.models

    def continues(self, stage: str) -> int:
        """Epochs after which a rung takes up its trainings; 0 for a round, whose trainings are new."""
        if not self.config.search.resumes:
            return 0
        return int(self.config.stage_settings(self._number(stage) - 1)["epochs"])

    def proposing(self, stage: str) -> str:
        """File of what a round or rung depends on; as far as a round is concerned, the study ends with it."""
        study = self.config.model_copy(update={"search": self.config.search.until(self._number(stage))})
        return self._step_config(_sections(study, "study", "data", "search", "space", "training"))

    @cached_property
    def columns(self) -> list[str]:
        """Columns of ``table.csv`` that can be plotted and modelled: parameters and derived columns."""
        parameters = table_columns(self.config)
        return [*parameters, *derived_columns(parameters)]

    @cached_property
    def log_columns(self) -> list[str]:
        """Columns that figures and rankings show on a logarithmic scale: by their prior, or by the formula."""
        logarithmic = self._log_priors | logged_columns(self.config.analysis.gam)
        return [name for name in self.columns if name in logarithmic]

    @property
    def _log_priors(self) -> set[str]:
        return {name for name, distribution in self.config.space.items() if distribution.logarithmic}

    @property
    def figure_columns(self) -> str:
        """What the figures show, as JSON."""
        return json.dumps({"columns": self.columns, "log": self.log_columns})

    @property
    def response(self) -> str:
        """The GAM's response as an expression of the summary's columns."""
        return self.config.analysis.summary_response

    @cached_property
    def candidates(self) -> list[str]:
        """Names of the decision's slots."""
        return [slot.name for slot in slots(self.config.decision)]

    @property
    def proposing_candidates(self) -> str:
        """File of what the candidates depend on: of the decision, not how one of them is chosen and trained."""
        include: Any = dict.fromkeys(("study", "data", "search", "space", "training", "analysis"), True)
        include["decision"] = {"rules": True, "by_hand": True, "confirm": {"top": True}}
        return self._step_config(_compact(self.config.model_dump(mode="json", include=include)))

    @cached_property
    def replicates(self) -> list[int]:
        """Numbers of the confirmations of each candidate."""
        return list(range(1, self.config.decision.confirm.replicates + 1))

    @cached_property
    def threads(self) -> int:
        """The most threads that a training of this study takes."""
        return max(spec.threads for spec in self.trials.values())

    def sections(self, *names: str) -> str:
        """Sections of the config, complete with defaults, as JSON.

        The space keeps the order it was written in, which is the order of a grid.
        """
        return _sections(self.config, *names)

    def step_config(self, *names: str) -> str:
        """Path of the file with the sections of the config that a step depends on, complete with defaults.

        The path is a parameter of the step's rule. Its name is the fingerprint of the content, so a change of these
        sections runs the step again, a change elsewhere does not, and no change reaches a job that is running.
        """
        return self._step_config(self.sections(*names))

    def _step_config(self, text: str) -> str:
        path = self.path(f"config/{digest(text)[:16]}.json")
        self._step_configs[path] = text
        return path

    def write_step_configs(self) -> None:
        """Write the file of every step, unless it is there; a run does so before its first job."""
        for stage in self.stages:
            self.proposing(stage)
        for name, text in self._step_configs.items():
            path = Path(name)
            if not path.exists() or path.read_text(encoding="utf-8", errors="replace") != text:
                write_text(path, text)

    @cached_property
    def table_digest(self) -> str:
        """Changes with any row, whether the config, a CSV file of rows or the code that draws them has changed."""
        return digest(canonical_json([[row.name, row.replicate, row.spec.to_json()] for row in self.rows]))

    @property
    def data_files(self) -> list[str]:
        """What the data are made of: the user's files, or the note that a public data set is on this machine."""
        if self.config.data.source in PUBLIC:
            return [str(self.layout.data.source)]
        return [path for path in self.config.data.paths.values() if not PATTERN.search(path)]

    @cached_property
    def data_content(self) -> str:
        """Fingerprints of the user's files that cannot be inputs, since Snakemake takes their paths for patterns."""
        return " ".join(sha256_of(Path(path)) for path in self.config.data.paths.values() if PATTERN.search(path))

    @cached_property
    def data_sets(self) -> list[str]:
        """Folders of the arrays: one, or one for each fold."""
        folds = self.config.data.folds
        return [str(self.layout.data.fold(fold).path) for fold in folds]

    @property
    def data_outputs(self) -> list[str]:
        """Files of the prepared data, but for the digest of all."""
        files = [os.path.join(folder, name) for folder in self.data_sets for name in SET_FILES]
        data = self.layout.data
        files += map(str, (data.split, data.columns, data.warnings))
        return [name for name in files if name != str(data.info)]

    def digest(self, fold: int | None) -> str:
        """Path of the digest of the data that a training sees."""
        return str(self.layout.data.fold(fold or self.config.data.folds[0]).info)

    def fold_of(self, replicate: int) -> int | None:
        """The fold that a confirmation is validated on: they take turns."""
        folds = self.config.data.folds
        return folds[(replicate - 1) % len(folds)]

    @cached_property
    def contenders(self) -> list[str]:
        """Who meets on the test rows, the optimum first."""
        return contenders(self.config.decision)

    @cached_property
    def finals(self) -> list[int]:
        """Numbers of each contender's final trainings."""
        return list(range(1, self.config.decision.final.replicates + 1))

    @property
    def whole(self) -> list[str]:
        """What a step is told if the final trainings learn from all rows but the test's."""
        return ["--whole"] if self.config.decision.final.train_on == "train+validation" else []

    def final_fold(self, replicate: int) -> int | None:
        """The fold that tells a final training when to stop: they go on taking turns."""
        return None if self.whole else self.fold_of(len(self.replicates) + replicate)

    def final_digest(self, replicate: int) -> str:
        """Path of the digest of the data that a final training sees."""
        if self.whole:
            return str(self.layout.data.whole.info)
        return self.digest(self.final_fold(replicate))

    def _check(self) -> None:
        """What only the table, or the files named, can tell."""
        search = self.config.search
        if len(self.rows) < search.fewest_results:
            raise InputError(
                [
                    f"search.draws: the strategy {search.strategy!r} needs the results of at least "
                    f"{search.fewest_results} configurations before its first round, got {len(self.rows)}; raise draws"
                ]
            )
        check_header(self.config.data)
        if self.config.analysis.gam is not None:
            self._check_formula(self.config.analysis.gam)
        for name, settings in self.config.decision.by_hand.items():
            chosen = {key: value for key, value in settings.items() if key not in BY_HAND_NOTES}
            reason = unused_reason(chosen, complete(self.config, chosen, 1, f"decision.by_hand.{name}"))
            if reason:
                raise InputError([f"decision.by_hand.{name}.{reason}"])
        if "default" in self.config.decision.rules:
            complete(self.config, {}, 1, "decision.rules, default")

    def _check_formula(self, text: str) -> None:
        try:
            check_planned(text, self.columns, self._cells, self._proposed)
        except InputError as error:
            raise InputError(f"analysis.gam: {line}" for line in error.lines) from None

    @cached_property
    def hints(self) -> list[str]:
        """What a user may want to change although the config is valid."""
        text = self.config.analysis.gam
        if text is None:
            return []
        return [f"analysis.gam: {hint}" for hint in hints(text, self._cells, self._proposed, self._log_priors)]

    @cached_property
    def _cells(self) -> list[dict[str, Any]]:
        """The table's parameters and derived columns."""
        parameters = table_columns(self.config)
        return [cells(row.spec, parameters) for row in self.rows]

    @property
    def _proposed(self) -> int:
        """Number of configurations that rounds add; rungs of a halving only train those of the table further."""
        return sum(self.slots) if self.config.search.proposes else 0


def _sections(study: Study, *names: str) -> str:
    return _compact(study.model_dump(mode="json", include=set(names)))


def _compact(content: Any) -> str:
    return json.dumps(content, separators=(",", ":"), ensure_ascii=False)


def code_of(module: str) -> str:
    """Return the fingerprint of the code that a step's result depends on, shortened.

    It is a parameter of the step's rule, so that an edit runs the step again; a touch, a reworded docstring or a moved
    clone does not. The modules that read the config do not count, since everything that they make of it (sections with
    their defaults, the table, specifications) reaches each step as a parameter.
    """
    return code_fingerprint(module, without=("gamtune/config/", "gamtune/errors.py"))[:16]


def template_of(name: str) -> str:
    """Digest of a file of the library that is no code."""
    return sha256_of(LIBRARY / "gamtune" / name)[:16]
