"""The step `candidates`: the selection rules propose one configuration per slot, to be confirmed on fresh seeds."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from gamtune.analysis.columns import RESPONSE
from gamtune.analysis.comparable import averaged, last_rung, modelled_rows
from gamtune.analysis.engine_errors import input_errors
from gamtune.analysis.planned_formula import logged_columns, read_formula
from gamtune.config.study import BY_HAND_NOTES, Study
from gamtune.errors import InputError, StepError
from gamtune.gam.model import FittedGam, fit_gam
from gamtune.gam.terms import Formula
from gamtune.numbers import significant
from gamtune.results.csv_rows import Candidate, Support
from gamtune.results.dataset import DatasetInfo
from gamtune.results.layout import CONFIRM, StudyFolder
from gamtune.results.slots_file import write_slots
from gamtune.results.trial_table import CONFIGURATION, NAME, OK, STATUS, TRIAL, read_summary
from gamtune.search.table import build_table, complete
from gamtune.search.trials import proposed_rows
from gamtune.selection.gam_optimum import gam_optimum
from gamtune.selection.one_standard_error import Sized, smallest_within, standard_error
from gamtune.selection.size import count_weights
from gamtune.selection.slots import Slot, confirmation_slots, slots
from gamtune.selection.support import distances, support
from gamtune.slots import Row
from gamtune.spec import Spec


@dataclass(frozen=True)
class Proposal:
    """The configuration that fills a slot, or the reason why the slot is empty.

    Attributes
    ----------
    source : str
        Where the configuration comes from, in words.
    spec : Spec, optional
        The configuration; None if the slot is empty.
    observed, predicted : float, optional
        Validation MSE in the search, and the response that the GAM predicts.
    reason : str
        Why the slot is empty.
    configuration : str
        Identifier of a configuration that was tried; empty otherwise.
    """

    source: str
    spec: Spec | None = None
    observed: float | None = None
    predicted: float | None = None
    reason: str = ""
    configuration: str = ""


def write_candidates(study: Study, summary: Path, out: Path) -> None:
    """Write ``candidates.csv``, with one row per candidate, ``support.csv`` and the slots of the confirmations.

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
    finished = finished_configurations(summary)
    specs_tried = {row.spec.trial: row.spec for row in _all_rows(study, summary.parent)}
    search = _Search(study, summary, finished, _ranked(last_rung(finished), specs_tried))
    proposals: dict[Slot, Proposal] = {}
    seen: dict[str, str] = {}
    for slot in slots(study.selection):
        proposal = _propose(slot, search)
        key = proposal.spec.without_seed() if proposal.spec else ""
        if key and key in seen:
            proposal = Proposal(proposal.source, reason=f"the same configuration as {seen[key]}")
            key = ""
        seen.setdefault(key, slot.name)
        proposals[slot] = proposal
    tried = [specs_tried[trial] for trial in finished[TRIAL]]
    specs = {slot.name: proposal.spec for slot, proposal in proposals.items() if proposal.spec}
    log_priors = {name for name, distribution in study.space.items() if distribution.logarithmic}
    nearest, usual = distances(specs, tried, log_priors | logged_columns(search.formula))
    compared = (row for name, spec in specs.items() for row in support(name, spec, tried))
    Support.write(compared, StudyFolder(summary.parent).support)
    candidates = (
        Candidate(
            candidate=slot.name,
            rule=slot.rule,
            source=proposal.source,
            observed=proposal.observed,
            predicted=proposal.predicted,
            nearest=nearest.get(slot.name),
            usual=usual if proposal.spec else None,
            reason=proposal.reason or None,
            spec=proposal.spec,
        )
        for slot, proposal in proposals.items()
    )
    Candidate.write(candidates, out)
    confirmed = ((slot.name, proposal.spec, proposal.reason) for slot, proposal in proposals.items())
    write_slots(StudyFolder(summary.parent).stage(CONFIRM).slots, confirmation_slots(study, confirmed))


def _all_rows(study: Study, folder: Path) -> list[Row]:
    return [*build_table(study), *(row for row, _ in proposed_rows(folder, study.search.stages))]


@dataclass(frozen=True)
class _Search:
    """The results of the search that the selection rules use."""

    study: Study
    summary: Path
    finished: pd.DataFrame
    ranked: list[Proposal]

    @cached_property
    def formula(self) -> Formula | None:
        """Formula of the additive model; None if the study fits no model."""
        return read_formula(self.study.analysis.gam)

    @cached_property
    def model(self) -> FittedGam:
        """Additive model of the error; raises `InputError` if there is none."""
        if self.formula is None:
            raise InputError(["the config has no formula (analysis.gam)"])
        rows = modelled_rows(self.finished, self.formula)
        with input_errors():
            return fit_gam(self.formula, rows, self.study.analysis.summary_response, self.study.analysis.method)


def finished_configurations(summary: Path) -> pd.DataFrame:
    """Return the finished configurations of a summary in its order, each as the mean of its trials.

    Raises
    ------
    StepError
        If no configuration has finished.
    """
    rows = averaged(read_summary(summary))
    finished = rows[rows[STATUS] == OK]
    if finished.empty:
        raise StepError(
            f"{summary}: none of the {len(rows)} configurations finished; see the reasons in its column reason"
        )
    return finished


def _propose(slot: Slot, search: _Search) -> Proposal:
    study = search.study
    if slot.rule == "by_hand":
        settings_by_hand = study.selection.by_hand[slot.key]
        settings = {name: value for name, value in settings_by_hand.items() if name not in BY_HAND_NOTES}
        return Proposal(
            _by_hand_source(settings_by_hand), complete(study, settings, 1, f"selection.by_hand.{slot.key}")
        )
    if slot.rule == "default":
        return Proposal("section training of the config", complete(study, {}, 1, "default"))
    if slot.rule == "gam_optimum":
        return _from_gam(search)
    if slot.rule == "one_standard_error":
        return _smallest(search)
    if slot.rank > len(search.ranked):
        return Proposal("best observed", reason=f"only {len(search.ranked)} configurations finished")
    return search.ranked[slot.rank - 1]


def _by_hand_source(choice: Mapping[str, Any]) -> str:
    """Return who chose a configuration by hand, and from which figures."""
    source = "by hand"
    if choice.get("who"):
        source += f", {choice['who']}"
    if choice.get("figures"):
        source += f", from {', '.join(choice['figures'])}"
    return source


def _ranked(finished: pd.DataFrame, specs: dict[str, Spec]) -> list[Proposal]:
    """Return the configurations in the order of their mean errors; the best of several replicates would be biased."""
    repeats = finished["trials"] if "trials" in finished else [1] * len(finished)
    proposals = []
    columns = (finished[name] for name in (TRIAL, CONFIGURATION, NAME, RESPONSE))
    for trial, configuration, name, error, trials in zip(*columns, repeats, strict=True):
        source = f"configuration {name}" + (f", mean of {trials} trials" if trials > 1 else "")
        proposals.append(Proposal(source, specs[trial], float(error), configuration=configuration))
    return sorted(proposals, key=lambda proposal: float(proposal.observed or 0))


def _from_gam(search: _Search) -> Proposal:
    best = search.ranked[0].spec
    assert best is not None  # a configuration that was tried has a spec
    try:
        with input_errors():
            settings, predicted = gam_optimum(search.model, best)
    except InputError as error:
        return Proposal("GAM", reason=str(error))
    return Proposal("minimum of the GAM", complete(search.study, settings, 1, "GAM optimum"), predicted=predicted)


def _smallest(search: _Search) -> Proposal:
    """Return the smallest network whose error is within one standard error of the best configuration."""
    data = DatasetInfo.read(StudyFolder(search.summary.parent).data.info)
    tried = {proposal.configuration: proposal for proposal in search.ranked}
    observed = [
        Sized(configuration, float(proposal.observed or 0), count_weights(proposal.spec, data))
        for configuration, proposal in tried.items()
        if proposal.spec
    ]
    trials = read_summary(search.summary)
    try:
        error, source = standard_error(
            search.ranked[0].configuration, last_rung(trials[trials[STATUS] == OK]), lambda: search.model
        )
    except InputError as reason:
        return Proposal("one standard error", reason=str(reason))
    smallest = smallest_within(observed, error)
    selected = tried[smallest.name]
    limit = f"one standard error ({significant(error, 2)}, {source}) of {search.ranked[0].source}"
    return replace(selected, source=f"{selected.source}, the smallest within {limit}")
