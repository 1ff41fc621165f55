"""Gradients of the mean loss of a batch, and the share of its samples that affect each weight."""

from collections.abc import Sequence
from typing import NamedTuple

import tensorflow as tf

from gamtune.learners.mlp.layers import Factors, Layers
from gamtune.learners.mlp.objective import Objective


class Gradients(NamedTuple):
    """The gradients of a batch of n samples.

    Attributes
    ----------
    losses : (n,) float32
        Losses of the samples.
    means : list of float32
        Mean gradient per variable, with the shape of the variable.
    reached : list of float32, optional
        Per variable, the share of the samples that reach each weight: the input and the slope of the unit are not 0.
        Only H2O's updates need it.
    """

    losses: tf.Tensor
    means: list[tf.Tensor]
    reached: list[tf.Tensor] | None


def gradients_of(
    layers: Layers,
    objective: Objective,
    weights: Sequence[tf.Tensor],
    x: tf.Tensor,
    targets: tf.Tensor,
    factors: Factors,
    label_smoothing: tf.Tensor,
    with_reach: bool,
) -> Gradients:
    """Return the gradients of the mean of the minimised function over a batch.

    Parameters
    ----------
    layers, objective : Layers, Objective
        The network and the losses.
    weights : sequence of float32
        Kernel and bias of each dense layer.
    x, targets : (n, inputs) float32 and (n,)
        The samples.
    factors : sequence
        The dropout factors; see `Layers.forward`.
    label_smoothing : () float32
        The setting of the trial.
    with_reach : bool
        Whether ``reached`` is computed, which takes a third matrix product per layer.
    """
    flow = layers.forward(weights, x, factors)
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(flow.outputs)
        losses = objective.losses(targets, flow.outputs)
        loss = tf.reduce_mean(objective.minimised(losses, flow.outputs, label_smoothing))
    gradients, reaches = layers.backward(weights, flow, factors, tape.gradient(loss, flow.outputs))
    return Gradients(losses, gradients, _reached(reaches) if with_reach else None)


def _reached(reaches: Sequence[tuple[tf.Tensor, tf.Tensor]]) -> list[tf.Tensor]:
    """Return the share of samples that reach each weight (input and slope are not 0) and bias (slope is not 0)."""
    shares = []
    for inputs, slope in reaches:
        active_inputs, active_units = tf.cast(inputs != 0, tf.float32), tf.cast(slope != 0, tf.float32)
        samples = tf.cast(tf.shape(inputs)[0], tf.float32)
        kernel = tf.matmul(active_inputs, active_units, transpose_a=True) / samples
        shares += [kernel, tf.reduce_mean(active_units, axis=0)]
    return shares
