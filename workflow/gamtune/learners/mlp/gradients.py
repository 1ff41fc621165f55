"""Gradients of the mean loss of a batch, and the share of its samples that affect each weight."""

from collections.abc import Sequence
from typing import NamedTuple

import tensorflow as tf

from gamtune.learners.mlp.network import Flow, Network
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
    network: Network,
    objective: Objective,
    x: tf.Tensor,
    targets: tf.Tensor,
    factors: Sequence[tf.Tensor | float | None],
    with_reach: bool,
) -> Gradients:
    """Return the gradients of the mean of the minimised function over a batch.

    Parameters
    ----------
    network : Network
        The network.
    objective : Objective
        The losses.
    x, targets : (n, inputs) float32 and (n,)
        The samples.
    factors : sequence
        The dropout factors; see `Network.forward`.
    with_reach : bool
        Whether ``reached`` is computed, which takes a third matrix product per layer.
    """
    variables = network.variables
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(variables)
        flow = network.forward(x, factors)
        losses = objective.losses(targets, flow.outputs)
        loss = tf.reduce_mean(objective.minimised(losses, flow.outputs))
    if not with_reach:
        return Gradients(losses, tape.gradient(loss, variables), None)
    gradients = tape.gradient(loss, [*variables, *flow.sums])
    return Gradients(losses, gradients[: len(variables)], _reached(flow, gradients[len(variables) :]))


def _reached(flow: Flow, slopes: Sequence[tf.Tensor]) -> list[tf.Tensor]:
    """Return the share of samples that reach each weight (input and slope are not 0) and bias (slope is not 0)."""
    shares = []
    for inputs, slope in zip(flow.inputs, slopes, strict=True):
        active_inputs, active_units = tf.cast(inputs != 0, tf.float32), tf.cast(slope != 0, tf.float32)
        samples = tf.cast(tf.shape(inputs)[0], tf.float32)
        kernel = tf.matmul(active_inputs, active_units, transpose_a=True) / samples
        shares += [kernel, tf.reduce_mean(active_units, axis=0)]
    return shares
