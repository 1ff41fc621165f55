"""Gradients of a step's mean loss, and the share of its rows that reach each weight."""

from collections.abc import Sequence
from typing import NamedTuple

import tensorflow as tf

from gamtune.learners.mlp.network import Flow, Network
from gamtune.learners.mlp.objective import Objective


class Gradients(NamedTuple):
    """What a step learns from: ``losses`` of its rows, and the ``means`` of their gradients, one a variable.

    ``reached`` is, for each weight, the share of the rows whose gradient at it is not 0 by way of a dead input or unit;
    H2O's updates need it, None where it is not asked for.
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
    """Differentiate the mean of what training minimises over some rows.

    Parameters
    ----------
    network : Network
        The network.
    objective : Objective
        The losses.
    x, targets : (n, inputs) float32 and (n,)
        The rows.
    factors : sequence
        As `Network.forward` takes them.
    with_reach : bool
        Whether ``reached`` is wanted: a third product of matrices a layer.
    """
    variables = network.variables
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(variables)
        flow = network.forward(x, factors)
        losses = objective.losses(targets, flow.outputs)
        loss = tf.reduce_mean(objective.minimised(losses, flow.outputs))
    if not with_reach:
        return Gradients(losses, tape.gradient(loss, variables), None)
    found = tape.gradient(loss, [*variables, *flow.sums])
    return Gradients(losses, found[: len(variables)], _reached(flow, found[len(variables) :]))


def _reached(flow: Flow, slopes: Sequence[tf.Tensor]) -> list[tf.Tensor]:
    """Shares of rows: they reach a weight where its input and its unit's slope are not 0, a bias where the slope is."""
    shares = []
    for inputs, slope in zip(flow.inputs, slopes, strict=True):
        fed, felt = tf.cast(inputs != 0, tf.float32), tf.cast(slope != 0, tf.float32)
        rows = tf.cast(tf.shape(inputs)[0], tf.float32)
        shares += [tf.matmul(fed, felt, transpose_a=True) / rows, tf.reduce_mean(felt, axis=0)]
    return shares
