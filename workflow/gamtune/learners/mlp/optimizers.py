"""The optimizers by name, in the versions of Keras and of H2O."""

from gamtune.learners.mlp.h2o_update import h2o_adadelta, h2o_sgd
from gamtune.learners.mlp.keras_update import adadelta, adam, sgd
from gamtune.learners.mlp.update import Update, Variables
from gamtune.spec import Spec

UPDATES = {
    "keras": {"adadelta": adadelta, "sgd": sgd, "adam": adam},
    "h2o": {"adadelta": h2o_adadelta, "sgd": h2o_sgd},
}


def build_update(spec: Spec, variables: Variables) -> Update:
    """Return the update of the optimizer of a specification, with its initial state.

    Parameters
    ----------
    spec : Spec
        Version (``network``), optimizer and penalties.
    variables : sequence of variables
        Kernel and bias of each layer, in the order of the layers.
    """
    return UPDATES[spec.network][spec.optimizer](spec, variables)
