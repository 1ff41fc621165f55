"""The candidates: settings that the selection rules propose, one slot each, to be confirmed on fresh seeds."""

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from gamtune.analysis.columns import RESPONSE
from gamtune.analysis.comparable import CONFIGURATION, averaged, last_rung, modelled_rows
from gamtune.analysis.engine_errors import input_errors
from gamtune.analysis.planned_formula import logged_columns, read_formula
from gamtune.config.study import BY_HAND_NOTES, Study
from gamtune.errors import InputError, StepError
from gamtune.files import write_text
from gamtune.gam.model import FittedGam, fit_gam
from gamtune.gam.terms import Formula
from gamtune.numbers import significant
from gamtune.results.artefacts import artefact_text, read_artefact
from gamtune.results.dataset import DatasetInfo
from gamtune.results.layout import CONFIRM, StudyFolder
from gamtune.results.slots_file import write_slots
from gamtune.search.table import build_table, complete
from gamtune.search.trials import proposed_rows
from gamtune.selection.gam_optimum import gam_optimum
from gamtune.selection.one_standard_error import Sized, smallest_within, standard_error
from gamtune.selection.size import count_weights
from gamtune.selection.slots import COLUMNS, Slot, confirmation_slots, slots
from gamtune.selection.support import COLUMNS as SUPPORT_COLUMNS
from gamtune.selection.support import distances, support
from gamtune.slots import Row
from gamtune.spec import Spec


@dataclass(frozen=True)
class Proposal:
    """What a slot holds: the training to confirm, or why there is none."""

    source: str
    spec: Spec | None = None
    observed: float | None = None
    predicted: float | None = None
    reason: str = ""
    configuration: str = ""  # identifier of an observed one


def write_candidates(study: Study, summary: Path, out: Path) -> None:
    """Write ``candidates.csv``, one row per candidate, ``support.csv`` beside it, and the slots of the confirmations.

    Parameters
    ----------
    study : Study
        The config.
    summary : Path
        ``summary.csv`` of the study, in the folder of its results.
    out : Path
        The file to write.

    Raises
    ------
    StepError
        If no trial finished.
    """
    finished = finished_rows(summary)
    rows = {row.spec.trial: row.spec for row in _all_rows(study, summary.parent)}
    search = _Search(study, summary, finished, _ranked(last_rung(finished), rows))
    proposals: dict[Slot, Proposal] = {}
    seen: dict[str, str] = {}
    for slot in slots(study.selection):
        proposal = _propose(slot, search)
        setting = proposal.spec.without_seed() if proposal.spec else ""
        if setting and setting in seen:
            proposal = Proposal(proposal.source, reason=f"the same settings as {seen[setting]}")
            setting = ""
        seen.setdefault(setting, slot.name)
        proposals[slot] = proposal
    tried = [rows[trial] for trial in finished["trial"]]
    specs = {slot.name: proposal.spec for slot, proposal in proposals.items() if proposal.spec}
    log_priors = {name for name, distribution in study.space.items() if distribution.logarithmic}
    near, usual = distances(specs, tried, log_priors | logged_columns(search.formula))
    write_text(StudyFolder(summary.parent).support, _support_csv(specs, tried))
    lines = []
    for slot, proposal in proposals.items():
        spec = proposal.spec.to_json() if proposal.spec else None
        places = (near[slot.name], usual) if proposal.spec else (None, None)
        cells = (proposal.source, proposal.observed, proposal.predicted, *places, proposal.reason or None, spec)
        lines.append([slot.name, slot.rule, *cells])
    write_text(out, artefact_text(COLUMNS, lines))
    confirmed = ((slot.name, proposal.spec, proposal.reason) for slot, proposal in proposals.items())
    write_slots(StudyFolder(summary.parent).stage(CONFIRM).slots, confirmation_slots(study, confirmed))


def _all_rows(study: Study, folder: Path) -> list[Row]:
    return [*build_table(study), *(row for row, _ in proposed_rows(folder, study.search.stages))]


def _support_csv(candidates: Mapping[str, Spec], tried: Sequence[Spec]) -> str:
    """One line for each candidate and setting that varies."""
    lines = [(name, *astuple(line)) for name, spec in candidates.items() for line in support(spec, tried)]
    return artefact_text(SUPPORT_COLUMNS, lines)


@dataclass(frozen=True)
class _Search:
    """What the rules look at."""

    study: Study
    summary: Path
    finished: pd.DataFrame
    ranked: list[Proposal]

    @cached_property
    def formula(self) -> Formula | None:
        """The formula of the additive model; None if the study fits none."""
        return read_formula(self.study.analysis.gam)

    @cached_property
    def model(self) -> FittedGam:
        """The additive model of the error; InputError where there is none."""
        if self.formula is None:
            raise InputError(["the config has no formula (analysis.gam)"])
        rows = modelled_rows(self.finished, self.formula)
        with input_errors():
            return fit_gam(self.formula, rows, self.study.analysis.summary_response, self.study.analysis.method)


def finished_rows(summary: Path) -> pd.DataFrame:
    """The finished rows of a summary, in its order, each the mean of its trainings.

    Raises
    ------
    StepError
        If there is none.
    """
    rows = averaged(read_artefact(summary, text=("trial", CONFIGURATION, "name")))
    finished = rows[rows["status"] == "ok"]
    if finished.empty:
        raise StepError(f"{summary}: none of the {len(rows)} trials finished; their reasons are in its column reason")
    return finished


def _propose(slot: Slot, search: _Search) -> Proposal:
    study = search.study
    if slot.rule == "by_hand":
        choice = study.selection.by_hand[slot.key]
        settings = {name: value for name, value in choice.items() if name not in BY_HAND_NOTES}
        return Proposal(_by_hand_source(choice), complete(study, settings, 1, f"selection.by_hand.{slot.key}"))
    if slot.rule == "default":
        return Proposal("the config's section training alone", complete(study, {}, 1, "default"))
    if slot.rule == "gam_optimum":
        return _from_gam(search)
    if slot.rule == "one_standard_error":
        return _smallest(search)
    if slot.rank > len(search.ranked):
        return Proposal("best observed", reason=f"only {len(search.ranked)} settings finished")
    return search.ranked[slot.rank - 1]


def _by_hand_source(choice: Mapping[str, Any]) -> str:
    """Who chose, and from which figures."""
    source = "by hand"
    if choice.get("who"):
        source += f", {choice['who']}"
    if choice.get("figures"):
        source += f", from {', '.join(choice['figures'])}"
    return source


def _ranked(finished: pd.DataFrame, specs: dict[str, Spec]) -> list[Proposal]:
    """The rows by their mean error: the luckiest of a row's trainings would flatter it."""
    repeats = finished["trainings"] if "trainings" in finished else [1] * len(finished)
    proposals = []
    columns = (finished[name] for name in ("trial", CONFIGURATION, "name", RESPONSE))
    for trial, configuration, name, error, trainings in zip(*columns, repeats, strict=True):
        source = f"row {name}" + (f", mean of {trainings} trainings" if trainings > 1 else "")
        proposals.append(Proposal(source, specs[trial], float(error), configuration=configuration))
    return sorted(proposals, key=lambda proposal: float(proposal.observed or 0))


def _from_gam(search: _Search) -> Proposal:
    best = search.ranked[0].spec
    assert best is not None  # an observed row has one
    try:
        with input_errors():
            settings, predicted = gam_optimum(search.model, best)
    except InputError as error:
        return Proposal("GAM", reason=str(error))
    return Proposal("lowest point of the GAM", complete(search.study, settings, 1, "GAM optimum"), predicted=predicted)


def _smallest(search: _Search) -> Proposal:
    """The smallest network of the rows within one standard error of the best."""
    data = DatasetInfo.read(StudyFolder(search.summary.parent).data.info)
    rows = {row.configuration: row for row in search.ranked}
    observed = [
        Sized(configuration, float(row.observed or 0), count_weights(row.spec, data))
        for configuration, row in rows.items()
        if row.spec
    ]
    trainings = read_artefact(search.summary, text=("trial", CONFIGURATION, "name"))
    try:
        error, source = standard_error(
            search.ranked[0].configuration, last_rung(trainings[trainings["status"] == "ok"]), lambda: search.model
        )
    except InputError as reason:
        return Proposal("one standard error", reason=str(reason))
    smallest = smallest_within(observed, error)
    row = rows[smallest.name]
    limit = f"one standard error ({significant(error, 2)}, {source}) of {search.ranked[0].source}"
    told = f"{row.source}, the smallest within {limit}"
    return replace(row, source=told)
