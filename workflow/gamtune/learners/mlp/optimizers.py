"""Each optimizer by its name, in Keras' or H2O's version."""

from gamtune.learners.mlp.h2o_update import h2o_adadelta, h2o_sgd
from gamtune.learners.mlp.keras_update import adadelta, adam, sgd
from gamtune.learners.mlp.update import Update, Variables
from gamtune.spec import Spec

UPDATES = {
    "keras": {"adadelta": adadelta, "sgd": sgd, "adam": adam},
    "h2o": {"adadelta": h2o_adadelta, "sgd": h2o_sgd},
}


def build_update(spec: Spec, variables: Variables) -> Update:
    """The update of the spec's optimizer, its state all zero.

    Parameters
    ----------
    spec : Spec
        Optimizer, penalties and whose conventions hold.
    variables : sequence of variables
        Kernel and bias of each layer in turn.
    """
    return UPDATES[spec.network][spec.optimizer](spec, variables)
