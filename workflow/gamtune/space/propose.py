"""Fills the slots of a round or a rung from what the rows before it came to."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gamtune.config.study import Study
from gamtune.errors import InputError
from gamtune.space.adaptive import Proposer, seed_of_round
from gamtune.space.proposals import FILE, Slot, proposed_rows, write_proposals
from gamtune.space.records import read_record, trial_record
from gamtune.space.table import Row, build_table, complete, fixed_depth
from gamtune.spec import Spec

REPEATS = 100  # proposals of rows that are known already, after which a slot stays empty


@dataclass(frozen=True)
class Outcome:
    """A row and what it came to; ``error`` is its validation MSE, None if it failed."""

    row: Row
    error: float | None


def propose(study: Study, stage: int, folder: Path) -> None:
    """Write ``proposals.csv`` of a round or rung.

    Parameters
    ----------
    study : Study
        The config. How many rounds it asks for has no part in any of them.
    stage : int
        Number of the round or rung, from 1.
    folder : Path
        The study's folder of results, with the records of all earlier rows.
    """
    table = build_table(study)
    trained = [(row, trial_record(folder, row.spec.trial)) for row in table]
    stages = study.search.stages
    slots = study.search.stage_slots(len(table))[stage - 1]
    if study.search.strategy == "halving":
        rung = trained if stage == 1 else proposed_rows(folder, [stages[stage - 2]])
        filled = promoted(_outcomes(rung), slots, study.rung_epochs[stage])
    else:
        before = [*trained, *proposed_rows(folder, stages[: stage - 1])]
        filled = list(next_round(study, stage, slots, _outcomes(before)))
    write_proposals(study, stage, filled, folder / stages[stage - 1] / FILE)


def promoted(outcomes: Sequence[Outcome], slots: int, epochs: int) -> list[Slot]:
    """The best of a rung, to be trained for more epochs; what failed is out (Jamieson and Talwalkar 2016).

    Parameters
    ----------
    outcomes : sequence of Outcome
        The rung's rows; of equal errors the earlier row is the better.
    slots : int
        How many go on.
    epochs : int
        Where the next rung ends.
    """
    finished = [outcome for outcome in outcomes if outcome.error is not None]
    best = sorted(finished, key=lambda outcome: float(outcome.error or 0))[:slots]
    filled = [Slot(replace(outcome.row, spec=replace(outcome.row.spec, epochs=epochs))) for outcome in best]
    return filled + [Slot(None, f"only {len(best)} rows of the rung before finished")] * (slots - len(best))


def next_round(study: Study, stage: int, slots: int, outcomes: Sequence[Outcome]) -> Iterator[Slot]:
    """Rows that nothing before equals; a space of few values may have none left."""
    tried = ((outcome.row.spec, outcome.error) for outcome in outcomes)
    known = {outcome.row.spec.trial for outcome in outcomes}

    def spec_of(settings: dict[str, Any]) -> Spec:
        return complete(study, settings, 1, f"{study.search.strategy} in round {stage}")

    proposer = Proposer(
        study.search.strategy,
        study.space,
        tried,
        seed_of_round(study.search.seed, stage),
        fixed_depth(study),
        is_new=lambda settings: spec_of(settings).trial not in known,
    )
    for number in range(1, slots + 1):
        proposed = (spec_of(proposer.ask()) for _ in range(REPEATS))
        spec = next((spec for spec in proposed if spec.trial not in known), None)
        if spec is None:
            yield Slot(None, f"{REPEATS} proposals in a row were rows tried before: the space may hold no other")
        else:
            known.add(spec.trial)
            yield Slot(Row(f"{study.search.strategy}_round_{stage}_{number:02d}", 1, spec))


def _outcomes(rows: Sequence[tuple[Row, Path]]) -> list[Outcome]:
    """What each row's record says."""
    outcomes = []
    for row, path in rows:
        try:
            record = read_record(path, row.spec.trial)
        except FileNotFoundError:
            raise InputError([f"{path} is missing: the rows before a round have to be trained first"]) from None
        error = record["metrics"]["validation"]["mse"] if record["status"] == "ok" else None
        outcomes.append(Outcome(row, error))
    return outcomes
