"""Conversion of arrays to tensors, without a copy if possible."""

from typing import Any

import numpy.typing as npt
import tensorflow as tf

ALIGNMENT = 64


def shared_tensor(array: npt.NDArray[Any]) -> tf.Tensor:
    """Return a tensor that uses the memory of an array, which trials on the same data set share through its file.

    TensorFlow's kernels abort if the memory does not begin at a multiple of 64 bytes. The arrays of ``.npy`` files do;
    other arrays are copied.
    """
    if array.flags.c_contiguous and array.ctypes.data % ALIGNMENT == 0:
        return tf.experimental.dlpack.from_dlpack(array.__dlpack__())
    return tf.constant(array)
