"""Arrays as tensors, without a copy where that is safe."""

from typing import Any

import numpy.typing as npt
import tensorflow as tf

ALIGNMENT = 64


def shared_tensor(array: npt.NDArray[Any]) -> tf.Tensor:
    """A tensor over the array's own memory, which trainings of one data set share through its file.

    TensorFlow's kernels abort on memory that does not begin at a multiple of 64 bytes; ``.npy`` files do, and other
    arrays are copied.
    """
    if array.flags.c_contiguous and array.ctypes.data % ALIGNMENT == 0:
        return tf.experimental.dlpack.from_dlpack(array.__dlpack__())
    return tf.constant(array)
