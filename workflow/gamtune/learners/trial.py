"""One trial from its spec to its record and model. What this module imports is the code that a result depends on."""

import contextlib
import json
import math
import os
import time
import traceback
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np

from gamtune.data.arrays import Prepared
from gamtune.learners.failures import DivergedError, ImpossibleError
from gamtune.results.record import MODEL, RECORD, STATE, failure, identity
from gamtune.spec import Spec


def run_trial(
    spec: Spec,
    data: Prepared,
    code: str,
    attempt: int,
    folder: Path,
    leaves: Collection[str] = (MODEL,),
    earlier: Path | None = None,
) -> None:
    """Train, score on training and validation rows, and write the record and what else is wanted into ``folder``.

    A training that cannot succeed (its loss diverges, its network cannot be built) leaves a record with
    ``status: failed`` and the reason, and no model. Any other error is raised: lack of memory or files, a broken
    installation, a bug.

    Parameters
    ----------
    spec : Spec
        The training.
    data : Prepared
        The data set.
    code : str
        Digest of the code, noted in the record.
    attempt : int
        How often this training has been begun, noted in the record.
    folder : Path
        Where the files go; must exist.
    leaves : collection of str
        What is left beside the record: `MODEL`, `STATE`.
    earlier : Path, optional
        Folder with the record and the state of the same training after fewer epochs, to go on from.
    """
    set_up_tensorflow(spec.threads)
    import tensorflow as tf

    started = time.time()
    try:
        outcome = _train(spec, data, {name: folder / name for name in leaves}, earlier)
    except tf.errors.ResourceExhaustedError as error:
        raise MemoryError(str(error).splitlines()[0]) from error
    except (DivergedError, ImpossibleError) as error:
        traceback.print_exc()
        outcome = failure(f"{type(error).__name__}: {error}".splitlines()[0], getattr(error, "history", None))
    finished = time.time()
    record = identity(spec, data.digest, code, attempt) | outcome
    record |= {"started": started, "finished": finished, "seconds": round(finished - started, 3)}
    (folder / RECORD).write_text(json.dumps(record, indent=1, allow_nan=False) + "\n", encoding="utf-8")


def set_up_tensorflow(threads: int) -> None:
    """What TensorFlow must be told before its first operation."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    import tensorflow as tf

    if tf.config.threading.get_intra_op_parallelism_threads() != threads:  # it would take every core for every trial
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(1)
    # Rewriting the graph costs a fifth of a second a trial, and a graph this plain runs no faster for it
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
    with contextlib.suppress(ValueError):  # an invalid device list: nothing to grow
        for device in tf.config.list_physical_devices("GPU"):
            tf.config.experimental.set_memory_growth(device, True)


def _train(spec: Spec, data: Prepared, files: dict[str, Path], earlier: Path | None) -> dict[str, Any]:
    import tensorflow as tf

    from gamtune.learners.mlp.loop import train  # heavy: only the process that trains pays for TensorFlow
    from gamtune.learners.mlp.network import build_network
    from gamtune.learners.mlp.objective import objective_of
    from gamtune.learners.mlp.scoring import metrics_of, predict
    from gamtune.learners.mlp.state import load_state

    objective = objective_of(data, spec.label_smoothing)
    try:
        network = build_network(spec, data)
    except tf.errors.InvalidArgumentError as error:  # a layer has more weights than a tensor can have
        raise ImpossibleError(str(error).splitlines()[0]) from None
    training, validation = data.part("train"), data.part("validation")
    begun = None
    if earlier is not None:
        begun = json.loads((earlier / RECORD).read_text(encoding="utf-8")), load_state(earlier / STATE)
    history = train(network, spec, objective, training, validation, begun, files.get(STATE))
    metrics = {}
    for name, part in (("train", training), ("validation", validation)):
        predicted = predict(network.raw, part.x, data)
        if not (predicted < math.inf).all() or (data.classes is None and np.isinf(predicted).any()):
            raise DivergedError(f"a prediction of the {name} samples is not finite", history.to_dict())
        metrics[name] = metrics_of(predicted, part.y, data)
    if MODEL in files:
        network.exported.save(files[MODEL])
    return {
        "status": "ok",
        "reason": None,
        "metrics": {part: _finite(figures) for part, figures in metrics.items()},
        "history": history.to_dict(),
        "epochs_run": history.epochs,
        "best_epoch": history.best_epoch,
    }


def _finite(figures: dict[str, float]) -> dict[str, float | None]:
    """JSON knows no NaN: what is not finite (R2 where only one class occurs) becomes null."""
    return {name: figure if math.isfinite(figure) else None for name, figure in figures.items()}
