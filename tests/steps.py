"""Single training steps, for tests that compare the training loop with another implementation."""

import numpy as np
import tensorflow as tf

from gamtune.learners.mlp.conventions import CONVENTIONS
from gamtune.learners.mlp.dropout import Dropout, Rates
from gamtune.learners.mlp.gradients import Gradients, gradients_of
from gamtune.learners.mlp.layers import Layers
from gamtune.learners.mlp.network import build_network
from gamtune.learners.mlp.objective import objective_of
from gamtune.learners.mlp.update import Step


def dropout_masks(rates, widths, batch_size, weight_seed, epoch, step, rescaled=True):
    """Return the factors of the inputs and of each hidden layer in one step, (batch_size, width) or None."""
    sizes = [tf.constant(size, tf.int64) for size in widths]
    numbers = (tf.constant(number, tf.int64) for number in (weight_seed, epoch, step))
    batch_size = tf.constant(batch_size, tf.int64)
    return Dropout.of(rates).masks(sizes, batch_size, Rates.of(rates, rescaled)).factors(*numbers)


class Steps:
    """The weights of a network and the state of its optimizer, which change with every step."""

    def __init__(self, spec, data):
        self.spec, self.data = spec, data
        self.conventions, self.objective = CONVENTIONS[spec.network], objective_of(data, spec.label_smoothing)
        self.optimizer = self.conventions.optimizer(spec)
        self.load(build_network(spec, data).raw.get_weights())
        self.numbers = {name: tf.constant(value) for name, value in self.optimizer.numbers(spec).items()}

    def load(self, weights):
        """Set the weights, and the state of the optimizer to 0."""
        self.weights = [tf.Variable(np.asarray(array, np.float32)) for array in weights]
        self.slots = [tf.Variable(tf.zeros_like(w)) for _ in range(self.optimizer.slots) for w in self.weights]

    def gradients(self, x, y, factors):
        """Return the gradients of a batch."""
        batch = tf.constant(x), self.objective.targets(np.ascontiguousarray(y), self.data)
        smoothing, with_reach = tf.constant(self.spec.label_smoothing), self.conventions.with_reach
        return gradients_of(Layers.of(self.spec), self.objective, self.weights, *batch, factors, smoothing, with_reach)

    def update(self, gradients: Gradients, number, seen):
        """Update the weights; the step is counted from 1."""
        counts = tf.constant(number, tf.int64), tf.constant(seen, tf.int64)
        self.optimizer.update(Step(self.weights, self.slots, gradients, self.numbers, *counts))

    def arrays(self):
        """Return the weights."""
        return [variable.numpy() for variable in self.weights]
