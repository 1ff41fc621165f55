"""Give TensorFlow one thread, as every trial has. Import this module in each test file that trains in its own process.

TensorFlow does not accept the number of threads after its first operation, which may be that of another test.
"""

import tensorflow as tf

tf.config.threading.set_intra_op_parallelism_threads(1)
tf.config.threading.set_inter_op_parallelism_threads(1)
