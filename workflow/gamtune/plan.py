"""The plan of a study: its trials, its slots and the parameters of each step, computed before any job runs."""

import json
import os
import re
from functools import cached_property
from pathlib import Path
from typing import Any

from gamtune.analysis.planned_formula import check_planned, hints, logged_columns, read_formula
from gamtune.config.data_section import PUBLIC
from gamtune.config.distributions import DISTRIBUTIONS
from gamtune.config.load import parse_study
from gamtune.config.search import STRATEGIES, TABLE
from gamtune.config.study import BY_HAND_NOTES, Study
from gamtune.data.header import check_header
from gamtune.errors import InputError
from gamtune.files import sha256_of, write_text
from gamtune.gam.terms import Formula
from gamtune.registry import Implementation
from gamtune.results.layout import CONFIRM, FINAL, RESULTS, SLOTS, TRIALS, Results, StudyFolder
from gamtune.results.record import MODEL, RECORD, STATE
from gamtune.search.table import build_table, cells, complete, derived_columns, table_columns
from gamtune.search.usage import unused_reason
from gamtune.selection.finalists import finalists
from gamtune.selection.slots import fold_of, slots
from gamtune.slots import Row
from gamtune.spec import Spec, canonical_json, fingerprint

PATTERN = re.compile("[{}<>]")  # characters of Snakemake's wildcards and path variables
REPORTED = ("study", "data", "search", "space", "training", "analysis", "selection")  # sections in the report


class Plan:
    """A valid study, and everything that can be computed from its config without training.

    Parameters
    ----------
    raw : object
        Content of the config.
    source : str
        Path of the config, for error messages.

    Raises
    ------
    InputError
        If the config is invalid, including errors that only the table reveals, such as an unknown column in the formula
        or an impossible configuration.
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
        """Name of the study."""
        return self.config.study

    def path(self, relative: str = "") -> str:
        """Return a path in the folder of results of the study, relative to the working directory."""
        return os.path.join(RESULTS, self.name, relative) if relative else os.path.join(RESULTS, self.name)

    @property
    def layout(self) -> StudyFolder:
        """The paths of the results of the study."""
        return Results(Path(RESULTS)).study(self.name)

    @property
    def store(self) -> str:
        """Store of the finished trials of all studies."""
        return str(Results(Path(RESULTS)).store)

    @cached_property
    def trials(self) -> dict[str, Spec]:
        """Trials of the table by their ids."""
        return {row.spec.trial: row.spec for row in self.rows}

    @cached_property
    def stages(self) -> list[str]:
        """Folders of the rounds or rungs of the study, in their order."""
        return self.config.search.stages

    @cached_property
    def slots(self) -> list[int]:
        """Number of slots of each round or rung."""
        return self.config.search.stage_slots(len(self.rows))

    @cached_property
    def folders(self) -> list[str]:
        """Folders of the records, relative to the folder of the study: of the table, then of its rounds or rungs."""
        later = (f"{stage}/{slot}" for stage in self.stages for slot in self.stage_slots(stage))
        return [*self._table_folders, *later]

    @property
    def _table_folders(self) -> list[str]:
        return [f"{TRIALS}/{trial}" for trial in self.trials]

    @cached_property
    def records(self) -> list[str]:
        """Paths of the records of the trials, in the order of `folders`."""
        return [self.path(f"{folder}/{RECORD}") for folder in self.folders]

    def stage_slots(self, stage: str) -> list[str]:
        """Return the names of the slots of a stage: a round, a rung, ``confirm`` or ``final``."""
        if stage == CONFIRM:
            return [f"{name}/{number}" for name in self.candidates for number in self.replicates]
        if stage == FINAL:
            return [f"{name}/{number}" for name in self.finalists for number in self.finals]
        return [str(number) for number in range(1, self.slots[self.number(stage) - 1] + 1)]

    @cached_property
    def files(self) -> list[str]:
        """Paths of all files and folders of a finished study, except the data and the logs."""
        study, optimum = self.layout, self.layout.optimum
        stages = [study.stage(name) for name in (*self.stages, CONFIRM, FINAL)]
        slots = [study.stage(name).slot(slot).record for name in (CONFIRM, FINAL) for slot in self.stage_slots(name)]
        paths = [
            study.table, study.summary, study.report, study.gam.path, study.figures.path,
            study.candidates, study.support, study.selection,
            optimum.record, optimum.model, optimum.preprocessing, optimum.comparison, optimum.tests,
            optimum.predictions, optimum.weights, optimum.figures.path, *(stage.slots for stage in stages), *slots,
        ]  # fmt: skip
        return [*self.records, *map(str, paths)]

    def before(self, stage: str) -> list[str]:
        """Return the paths of the files that the trials of a round or rung are proposed from."""
        files = []
        for source in self.config.search.sources(self.number(stage)):
            if source == TABLE:
                files += [f"{folder}/{RECORD}" for folder in self._table_folders]
            else:
                files += [f"{source}/{SLOTS}", *(f"{source}/{slot}/{RECORD}" for slot in self.stage_slots(source))]
        return [self.path(file) for file in files]

    def number(self, stage: str) -> int:
        """Return the number of a round or rung, from 1."""
        return self.stages.index(stage) + 1

    @property
    def models(self) -> list[str]:
        """Files that a trial keeps besides its record unless it is a final trial: its model, or none."""
        return [MODEL] if self.config.training.keep_models == "all" else []

    def leaves(self, stage: str = TABLE) -> list[str]:
        """Return the files that a trial of a stage, or of the table, keeps besides its record.

        The state is kept if a rung may resume the trial; the model of a final trial is always kept.
        """
        if stage == FINAL:
            return [MODEL]
        continued = self.config.search.resumes and stage in (TABLE, *self.stages[:-1])
        return [*self.models, STATE] if continued else self.models

    def continues(self, stage: str) -> int:
        """Return the number of epochs after which the trials of a stage are resumed; 0 if they are new."""
        if not self.config.search.resumes or stage not in self.stages:
            return 0
        return int(self.config.stage_settings(self.number(stage) - 1)["epochs"])

    def slot_data(self, stage: str, slot: str) -> str:
        """Return the path of ``dataset.json`` of the data that the trial of a slot is trained on."""
        replicate = int(slot.rpartition("/")[2])
        if stage == FINAL:
            return self.final_data_info(replicate)
        return self.data_info(fold_of(self.config, replicate) if stage == CONFIRM else None)

    def proposing(self, stage: str) -> str:
        """Return the path of the file with the settings that a round or rung depends on.

        Later rounds are left out, so that adding a round does not repeat the earlier ones.
        """
        study = self.config.model_copy(update={"search": self.config.search.until(self.number(stage))})
        return self._step_config(_sections(study, "study", "data", "selection.on", "search", "space", "training"))

    @cached_property
    def search_implementations(self) -> list[Implementation]:
        """The strategy and the distributions of the study, for the fingerprint of the steps that use them."""
        names = sorted({distribution.name for distribution in self.config.space.values()})
        return STRATEGIES.implementations([self.config.search.strategy]) + DISTRIBUTIONS.implementations(names)

    @cached_property
    def columns(self) -> list[str]:
        """Columns of ``table.csv`` that can be plotted and modelled: hyperparameters and derived columns."""
        parameters = table_columns(self.config)
        return [*parameters, *derived_columns(parameters)]

    @cached_property
    def log_columns(self) -> list[str]:
        """Columns with a logarithmic scale in figures and rankings, because of their prior or the formula."""
        logarithmic = self._log_priors | logged_columns(self.formula)
        return [name for name in self.columns if name in logarithmic]

    @property
    def _log_priors(self) -> set[str]:
        return {name for name, distribution in self.config.space.items() if distribution.logarithmic}

    @property
    def figure_columns(self) -> str:
        """Columns that the figures show, as JSON."""
        return json.dumps({"columns": self.columns, "log": self.log_columns})

    @cached_property
    def formula(self) -> Formula | None:
        """The formula of the GAM; None if the study fits no model."""
        return read_formula(self.config.analysis.gam)

    @property
    def response(self) -> str:
        """Response of the GAM, as an expression of the columns of the summary."""
        return self.config.analysis.summary_response

    @cached_property
    def candidates(self) -> list[str]:
        """Names of the slots of the candidates."""
        return [slot.name for slot in slots(self.config.selection)]

    @property
    def proposing_candidates(self) -> str:
        """Path of the file with the settings that the candidates and their confirmations depend on."""
        keys = (f"selection.{key}" for key in ("on", "rules", "by_hand", "confirm"))
        return self.step_config("study", "data", "search", "space", "training", "analysis", *keys)

    @cached_property
    def replicates(self) -> list[int]:
        """Numbers of the confirmations of each candidate."""
        return list(range(1, self.config.selection.confirm.replicates + 1))

    @cached_property
    def threads(self) -> int:
        """Largest number of threads of a trial of this study."""
        return max(spec.threads for spec in self.trials.values())

    def sections(self, *names: str) -> str:
        """Return sections of the config with all defaults, as JSON.

        A name such as ``selection.on`` stands for one key of a section. The space keeps the order of the config, which
        determines the order of a grid.
        """
        return _sections(self.config, *names)

    def step_config(self, *names: str) -> str:
        """Return the path of the file with the sections of the config that a step depends on, with all defaults.

        The path is a parameter of the rule of the step. The name of the file is the fingerprint of its content.
        Therefore a change of these sections runs the step again, a change of other sections does not, and no change
        affects a running job. A step that reads the section ``data`` as part of a study also depends on
        ``selection.on``, because the two are checked together.
        """
        return self._step_config(self.sections(*names))

    def _step_config(self, text: str) -> str:
        path = self.path(f"config/{fingerprint(text)[:16]}.json")
        self._step_configs[path] = text
        return path

    def write_step_configs(self) -> None:
        """Write the missing files of all steps; a run does so before its first job."""
        for stage in self.stages:
            self.proposing(stage)
        for name, text in self._step_configs.items():
            path = Path(name)
            if not path.exists() or path.read_text(encoding="utf-8", errors="replace") != text:
                write_text(path, text)

    @cached_property
    def table_fingerprint(self) -> str:
        """Fingerprint of the table; it changes with the config, a CSV file of configurations or the sampling code."""
        return fingerprint(canonical_json([[row.name, row.replicate, row.spec.to_json()] for row in self.rows]))

    @property
    def data_files(self) -> list[str]:
        """Input files of the data step: the files of the user, or the file that marks a downloaded data set."""
        if self.config.data.source in PUBLIC:
            return [str(self.layout.data.source)]
        return [path for path in self.config.data.paths.values() if not PATTERN.search(path)]

    @cached_property
    def data_content(self) -> str:
        """Fingerprints of user files that cannot be inputs, since Snakemake would read their paths as patterns."""
        return " ".join(sha256_of(Path(path)) for path in self.config.data.paths.values() if PATTERN.search(path))

    @cached_property
    def data_sets(self) -> list[str]:
        """Folders of the arrays: one, or one per fold."""
        folds = self.config.data.folds
        return [str(self.layout.data.fold(fold).path) for fold in folds]

    @property
    def data_outputs(self) -> list[str]:
        """Files of the prepared data within ``data/``, except ``dataset.json``."""
        data = self.layout.data
        sets = [data.fold(fold) for fold in self.config.data.folds]
        files = [*(file for one in sets for file in one.set_files), data.split, data.columns, data.warnings]
        return [file.relative_to(data.path).as_posix() for file in files if file != data.info]

    def data_info(self, fold: int | None) -> str:
        """Return the path of ``dataset.json`` of the data of a fold."""
        return str(self.layout.data.fold(fold or self.config.data.folds[0]).info)

    @cached_property
    def finalists(self) -> list[str]:
        """Names of the finalists, the optimum first."""
        return finalists(self.config.selection)

    @cached_property
    def finals(self) -> list[int]:
        """Numbers of the final trials of each finalist."""
        return list(range(1, self.config.selection.final.replicates + 1))

    @property
    def refit(self) -> list[str]:
        """Option of the steps if the final trials are trained on the training and validation samples."""
        return ["--refit"] if self.config.selection.final.train_on == "train+validation" else []

    def final_data_info(self, replicate: int) -> str:
        """Return the path of ``dataset.json`` of the data that a final trial is trained on."""
        if self.refit:
            return str(self.layout.data.refit.info)
        return self.data_info(fold_of(self.config, len(self.replicates) + replicate))

    def _check(self) -> None:
        """Check what depends on the table or on files of the user."""
        search = self.config.search
        if len(self.rows) < search.fewest_results:
            raise InputError(
                [
                    f"search.draws: the strategy {search.strategy!r} needs the results of at least "
                    f"{search.fewest_results} configurations before its first round, got {len(self.rows)}; "
                    "increase draws"
                ]
            )
        check_header(self.config.data)
        self._check_formula()
        for name, settings in self.config.selection.by_hand.items():
            chosen = {key: value for key, value in settings.items() if key not in BY_HAND_NOTES}
            reason = unused_reason(chosen, complete(self.config, chosen, 1, f"selection.by_hand.{name}"))
            if reason:
                raise InputError([f"selection.by_hand.{name}.{reason}"])
        if "default" in self.config.selection.rules:
            complete(self.config, {}, 1, "selection.rules, default")

    def _check_formula(self) -> None:
        try:
            if self.formula is not None:
                check_planned(self.formula, self.columns, self._cells, self._proposed)
        except InputError as error:
            raise InputError(f"analysis.gam: {line}" for line in error.lines) from None

    @cached_property
    def hints(self) -> list[str]:
        """Possible improvements of a valid config."""
        if self.formula is None:
            return []
        return [f"analysis.gam: {hint}" for hint in hints(self.formula, self._cells, self._proposed, self._log_priors)]

    @cached_property
    def _cells(self) -> list[dict[str, Any]]:
        """Hyperparameters and derived columns of each row of the table."""
        parameters = table_columns(self.config)
        return [cells(row.spec, parameters) for row in self.rows]

    @property
    def _proposed(self) -> int:
        """Number of configurations that rounds add; rungs of a halving only resume trials of the table."""
        return sum(self.slots) if self.config.search.proposes else 0


def _sections(study: Study, *names: str) -> str:
    included: dict[str, Any] = {}
    for name in names:
        section, _, key = name.partition(".")
        if key:
            included.setdefault(section, {})[key] = True
        else:
            included[section] = True
    content = study.model_dump(mode="json", include=included)
    return json.dumps(content, separators=(",", ":"), ensure_ascii=False)
