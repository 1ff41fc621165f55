"""Measure the time of each operation in a training step with TensorFlow's profiler.

.venv/bin/python tests/benchmarks/operations.py
"""

import os
import sys
import tempfile
from collections import Counter
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[2] / "workflow")]
import tensorflow as tf
from loop import REGULARISED, our_epoch, part
from tensorflow.tsl.profiler.protobuf import xplane_pb2

from gamtune.config.settings import make_spec
from gamtune.learners.trial import set_up_tensorflow

CASES = {
    "561-300-300-6, batch 128": ((561, 300, 300, 6), 5881, 128),
    "64-300-300-10, batch 32": ((64, 300, 300, 10), 1077, 32),
}
AROUND = ("Run", "Process")  # events that contain the operations


def operations(widths: tuple[int, ...], samples: int, batch_size: int) -> Counter[str]:
    """Return the picoseconds per kind of operation in one epoch with ADADELTA, dropout, l1 and l2."""
    spec = make_spec({"neurons": list(widths[1:-1]), "batch_size": batch_size, **REGULARISED}, 1)
    data = part(samples, widths[0], widths[-1]), part(samples // 4, widths[0], widths[-1])
    epoch = our_epoch(spec, *data, widths[-1])
    epoch()
    with tempfile.TemporaryDirectory() as folder:
        with tf.profiler.experimental.Profile(folder):
            epoch()
        (file,) = Path(folder).rglob("*.xplane.pb")
        space = xplane_pb2.XSpace.FromString(file.read_bytes())
    spent: Counter[str] = Counter()
    for plane in space.planes:
        for event in (event for line in plane.lines for event in line.events):
            _, colon, kind = plane.event_metadata[event.metadata_id].name.rpartition(":")
            if colon and kind.strip() not in AROUND and "__inference" not in kind and "CPU" in plane.name:
                spent[kind] += event.duration_ps
    return spent


def main() -> None:
    """Print the share of each kind of operation."""
    set_up_tensorflow(1)
    for name, case in CASES.items():
        spent = operations(*case)
        print(f"\n{name}")
        for kind, picoseconds in spent.most_common(14):
            print(f"{picoseconds / sum(spent.values()):6.1%} {kind}")


if __name__ == "__main__":
    main()
