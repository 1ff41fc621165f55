"""The parameter table: all initial trials, computed from the config alone when Snakemake parses the workflow."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from gamtune.config.settings import PER_LAYER, SETTINGS, SettingError, make_spec
from gamtune.config.study import Study
from gamtune.errors import InputError
from gamtune.results.artefacts import artefact_text
from gamtune.results.trial_table import FOLD, IDENTITY
from gamtune.search.depth import fixed_depth
from gamtune.search.kept import kept_rows
from gamtune.search.manual import manual_rows
from gamtune.search.usage import Usage, check_usage
from gamtune.slots import Row
from gamtune.spec import Spec

MAX_TRIALS = 200_000


def build_table(study: Study) -> list[Row]:
    """Return the initial trials of a study, in the order of the table; of identical trials the first is kept.

    Raises
    ------
    InputError
        If a configuration has an invalid value, two configurations have the same name, there are more than
        `MAX_TRIALS` trials, or no configuration uses a hyperparameter.
    """
    named: dict[str, Spec] = {}
    usage = Usage()
    most = MAX_TRIALS // (study.search.replicates * len(study.data.folds))
    for number, (name, settings) in enumerate(_named_settings(study), start=1):
        if number > most:
            raise InputError([f"search: more than {MAX_TRIALS} trials; use fewer configurations, replicates or folds"])
        spec = complete(study, settings, 1, f"row {name}")
        usage.add(settings, spec)
        if named.setdefault(name, spec) != spec:
            raise InputError([f"search.rows: two configurations are named {name!r}; use another name"])
    check_usage(study, usage, lambda settings: complete(study, settings, 1, "space"), fixed_depth(study))
    rows: dict[str, Row] = {}
    for name, spec in named.items():
        for replicate in range(1, study.search.replicates + 1):
            for fold in study.data.folds:
                trial = spec.repeated(study.training.seed + replicate - 1, fold)
                rows.setdefault(trial.trial, Row(name, replicate, trial))
    return list(rows.values())


def complete(study: Study, settings: dict[str, Any], replicate: int, place: str) -> Spec:
    """Return the spec of a trial, whose missing settings come from section ``training`` of the config.

    Parameters
    ----------
    study : Study
        The config.
    settings : dict
        Settings of the configuration.
    replicate : int
        Number of the replicate, from 1; it determines the weight seed.
    place : str
        Source of the settings, for messages.

    Raises
    ------
    InputError
        If the settings are not valid.
    """
    fixed = study.training.settings
    if "depth" in settings or any(isinstance(settings.get(name), list) for name in PER_LAYER):
        fixed = {**fixed, "depth": None}
    try:
        return make_spec(settings, study.training.seed + replicate - 1, fixed)
    except SettingError as error:
        raise InputError([f"{place}, {error.name}: {error}"]) from None


def table_columns(study: Study) -> list[str]:
    """Return the hyperparameters in the table: those of the space, then those that only listed configurations set."""
    names = dict.fromkeys(study.space)
    for _, settings in [*manual_rows(study.search.rows), *kept_rows(study)]:
        names.update(dict.fromkeys(settings))
    names.update(dict.fromkeys(study.stage_settings(0)))
    return [name for name in names if name in SETTINGS]


def derived_columns(parameters: Iterable[str]) -> list[str]:
    """Return the columns that summarise per-layer hyperparameters in figures and models."""
    parameters = set(parameters)
    derived = []
    if parameters & {"neurons", "depth"}:
        derived.append("sum_neurons")
    if "hidden_dropout" in parameters:
        derived.append("mean_hidden_dropout")
    return derived


def cells(spec: Spec, parameters: Iterable[str]) -> dict[str, Any]:
    """Return the hyperparameters and derived columns of a trial; None for a hyperparameter that it does not use.

    Parameters
    ----------
    spec : Spec
        The trial.
    parameters : iterable of str
        Names of the hyperparameters.

    Returns
    -------
    dict
        Number or text of each cell; values per layer are separated by spaces.
    """
    parameters = list(parameters)
    values: dict[str, Any] = {}
    for name in parameters:
        value = spec.value(name)
        values[name] = " ".join(map(repr, value)) if isinstance(value, tuple) else value
    derived = {
        "sum_neurons": sum(spec.neurons),
        "mean_hidden_dropout": sum(spec.hidden_dropout) / len(spec.hidden_dropout),
    }
    return values | {name: derived[name] for name in derived_columns(parameters)}


def trial_cells(row: Row, parameters: Iterable[str], stage: Mapping[str, int | str]) -> dict[str, Any]:
    """Return the cells of a trial by the columns of ``table.csv``, in their order.

    Parameters
    ----------
    row : Row
        The trial.
    parameters : iterable of str
        Names of the hyperparameters in the table.
    stage : mapping
        Number of its stage by the column of the stages; empty in a study without stages.
    """
    identity = dict(zip(IDENTITY, (row.spec.trial, row.name, row.replicate, row.configuration), strict=True))
    fold = {FOLD: row.spec.fold} if row.spec.fold else {}
    return {**identity, **fold, **stage, **cells(row.spec, parameters)}


def table_csv(study: Study) -> str:
    """Return the text of ``table.csv``."""
    parameters, column = table_columns(study), study.search.stage_column
    rows = [trial_cells(row, parameters, {column: 0} if column else {}) for row in build_table(study)]
    return artefact_text(rows[0], (row.values() for row in rows))


def _named_settings(study: Study) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield name and settings of each configuration: listed by hand, then drawn, then kept from other studies."""
    shared = study.stage_settings(0)
    for name, settings in [*manual_rows(study.search.rows), *study.search.configurations(study), *kept_rows(study)]:
        yield name, settings | shared
