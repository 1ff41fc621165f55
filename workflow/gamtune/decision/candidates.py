"""The candidates: settings that the decision rules propose, one slot each, to be confirmed on fresh seeds."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from gamtune.analysis.formula import parse_formula
from gamtune.analysis.gam import TooFewRows, fit_gam
from gamtune.config.study import Study
from gamtune.decision.gam_optimum import gam_optimum
from gamtune.decision.slots import COLUMNS, Slot, slots
from gamtune.files import write_text
from gamtune.space.table import build_table, complete
from gamtune.spec import Spec

RESPONSE = "validation_mse"


@dataclass(frozen=True)
class Proposal:
    """What a slot holds: the training to confirm, or why there is none."""

    source: str
    spec: Spec | None = None
    observed: float | None = None
    predicted: float | None = None
    reason: str = ""


def write_candidates(study: Study, summary: Path, out: Path) -> None:
    """Write ``candidates.csv``, one row for each slot of the decision.

    Parameters
    ----------
    study : Study
        The config.
    summary : Path
        ``summary.csv`` of the study.
    out : Path
        The file to write.

    Raises
    ------
    ValueError
        If no trial finished.
    """
    finished = finished_rows(summary)
    specs = {row.spec.trial: row.spec for row in build_table(study)}
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    seen: dict[str, str] = {}
    for slot in slots(study.decision):
        proposal = _propose(slot, study, finished, specs)
        setting = proposal.spec.without_seed() if proposal.spec else ""
        if setting and setting in seen:
            proposal = Proposal(proposal.source, reason=f"the same settings as {seen[setting]}")
            setting = ""
        seen.setdefault(setting, slot.name)
        spec = proposal.spec.to_json() if proposal.spec else ""
        cells = (proposal.source, proposal.observed, proposal.predicted, proposal.reason, spec)
        writer.writerow([slot.name, slot.rule, *cells])
    write_text(out, text.getvalue())


def finished_rows(summary: Path) -> pd.DataFrame:
    """The finished rows of a summary, best first.

    Raises
    ------
    ValueError
        If there is none.
    """
    rows = pd.read_csv(summary, dtype={"trial": str, "name": str})
    finished = rows[rows["status"] == "ok"].sort_values(RESPONSE, kind="stable").reset_index(drop=True)
    if finished.empty:
        raise ValueError(f"{summary}: none of the {len(rows)} trials finished; their reasons are in its column reason")
    return finished


def _propose(slot: Slot, study: Study, finished: pd.DataFrame, specs: dict[str, Spec]) -> Proposal:
    if slot.rule == "by_hand":
        spec = complete(study, study.decision.by_hand[slot.key], 1, f"decision.by_hand.{slot.key}")
        return Proposal("by hand", spec)
    if slot.rule == "gam_optimum":
        return _from_gam(study, finished, specs)
    distinct = list(_distinct(finished, specs))
    if slot.rank > len(distinct):
        return Proposal("best observed", reason=f"only {len(distinct)} settings finished")
    best = distinct[slot.rank - 1]
    return Proposal(f"row {best['name']}", specs[best["trial"]], best[RESPONSE])


def _distinct(finished: pd.DataFrame, specs: dict[str, Spec]) -> Iterator[dict[Any, Any]]:
    """Finished rows, best first, each setting once whatever its weight seeds."""
    seen = set()
    for row in finished.to_dict("records"):
        setting = specs[row["trial"]].without_seed()
        if setting not in seen:
            seen.add(setting)
            yield row


def _from_gam(study: Study, finished: pd.DataFrame, specs: dict[str, Spec]) -> Proposal:
    analysis = study.analysis
    if analysis.gam is None:
        return Proposal("GAM", reason="the config has no formula (analysis.gam)")
    formula = parse_formula(analysis.gam)
    response = analysis.response.replace("mse", RESPONSE)
    try:
        fitted = fit_gam(formula, finished, response, analysis.method)
    except (TooFewRows, ValueError) as error:
        return Proposal("GAM", reason=str(error))
    best = specs[str(finished["trial"].iloc[0])]
    settings, predicted = gam_optimum(fitted, finished, best)
    return Proposal("lowest point of the GAM", complete(study, settings, 1, "GAM optimum"), predicted=predicted)
