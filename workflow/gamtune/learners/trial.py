"""Train one trial, and write its record and model. The imports of this module define the training code."""

import contextlib
import itertools
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

CLEARED = 50  # number of trials of a process after which Keras and TensorFlow release what they keep per layer
_number = itertools.count(1)  # of the trials of this process


def run_trial(
    spec: Spec,
    data: Prepared,
    code: str,
    attempt: int,
    folder: Path,
    leaves: Collection[str] = (MODEL,),
    earlier: Path | None = None,
) -> None:
    """Train a trial, score it on the training and validation samples, and write its files.

    If the loss diverges or the network cannot be built, the record has the status ``failed`` and the reason, and there
    is no model. Other errors are raised.

    Parameters
    ----------
    spec : Spec
        The specification of the trial.
    data : Prepared
        The data set.
    code : str
        Fingerprint of the training code, which is stored in the record.
    attempt : int
        Number of the attempt, from 1, which is stored in the record.
    folder : Path
        Folder for the files; it must exist.
    leaves : collection of str
        Files to write besides the record: `MODEL`, `STATE`.
    earlier : Path, optional
        Folder with the record and the state of the same trial after fewer epochs, from which the training resumes.

    Raises
    ------
    MemoryError
        If TensorFlow runs out of memory.
    """
    set_up_tensorflow(spec.threads)
    import tensorflow as tf

    started = time.time()
    try:
        result = _train(spec, data, {name: folder / name for name in leaves}, earlier)
    except tf.errors.ResourceExhaustedError as error:
        raise MemoryError(str(error).splitlines()[0]) from error
    except (DivergedError, ImpossibleError) as error:
        traceback.print_exc()
        result = failure(f"{type(error).__name__}: {error}".splitlines()[0], getattr(error, "history", None))
    finished = time.time()
    record = identity(spec, data.fingerprint, code, attempt) | result
    record |= {"started": started, "finished": finished, "seconds": round(finished - started, 3)}
    (folder / RECORD).write_text(json.dumps(record, indent=1, allow_nan=False) + "\n", encoding="utf-8")


def set_up_tensorflow(threads: int) -> None:
    """Configure TensorFlow, before its first operation.

    Parameters
    ----------
    threads : int
        Number of threads of the trial; by default, TensorFlow uses all cores.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    import tensorflow as tf

    if tf.config.threading.get_intra_op_parallelism_threads() != threads:  # cannot be set after the first operation
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(1)
    # Rewriting the graph takes 0.2 s per trial and does not make this simple graph faster
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
    with contextlib.suppress(ValueError):  # the list of devices is invalid, so there is no GPU
        for device in tf.config.list_physical_devices("GPU"):
            tf.config.experimental.set_memory_growth(device, True)


def _train(spec: Spec, data: Prepared, files: dict[str, Path], earlier: Path | None) -> dict[str, Any]:
    import keras
    import tensorflow as tf

    from gamtune.learners.mlp.loop import train  # only the training process imports TensorFlow
    from gamtune.learners.mlp.network import build_network
    from gamtune.learners.mlp.scoring import metrics_of, predict
    from gamtune.learners.mlp.state import load_state

    if next(_number) % CLEARED == 0:
        keras.utils.clear_session()  # otherwise a process grows by 0.2 MB per trial
    try:
        network = build_network(spec, data)
    except tf.errors.InvalidArgumentError as error:  # a layer has more weights than a tensor can have
        raise ImpossibleError(str(error).splitlines()[0]) from None
    training, validation = data.part("train"), data.part("validation")
    resumed = None
    if earlier is not None:
        resumed = json.loads((earlier / RECORD).read_text(encoding="utf-8")), load_state(earlier / STATE)
    history = train(network, spec, data, training, validation, resumed, files.get(STATE))
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
        "metrics": {part: _finite(values) for part, values in metrics.items()},
        "history": history.to_dict(),
        "epochs_run": history.epochs,
        "best_epoch": history.best_epoch,
    }


def _finite(metrics: dict[str, float]) -> dict[str, float | None]:
    """Replace values that are not finite (such as R2 if only one class occurs) by None, as JSON has no NaN."""
    return {name: value if math.isfinite(value) else None for name, value in metrics.items()}
