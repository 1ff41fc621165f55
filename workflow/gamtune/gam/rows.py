"""The rows of the tables of terms and of models, which are read without importing the engine."""

from dataclasses import dataclass


@dataclass(frozen=True)
class TermRow:
    """The tests and checks of a term. A value that does not exist for the term is None.

    Attributes
    ----------
    term : str
        Label of the term.
    edf : float
        Effective degrees of freedom.
    F, p, p_adjusted : float
        Statistic of the permutation test, its p-value, and the p-value adjusted for the number of terms (Holm).
    deviance_share : float
        Share of the deviance that is not explained without the term.
    null_low, null_high : float
        Interval that holds 95 % of the deviance shares of permuted residuals.
    ref_df, F_wood, p_wood : float
        mgcv's approximate test.
    concurvity_worst, concurvity_observed : float
        See `gamtune.gam.checks.Check`.
    k_index, k_p : float, optional
        See `gamtune.gam.checks.Check`.
    """

    term: str
    edf: float
    F: float
    p: float
    p_adjusted: float
    deviance_share: float
    null_low: float | None
    null_high: float | None
    ref_df: float | None
    F_wood: float | None
    p_wood: float | None
    concurvity_worst: float | None
    concurvity_observed: float | None
    k_index: float | None
    k_p: float | None


@dataclass(frozen=True)
class ModelRow:
    """The statistics of a model.

    Attributes
    ----------
    method : {"REML", "GCV"}
        Criterion that selects the smoothing parameters.
    criterion : float
        Its value.
    scale : float
        Estimated residual variance.
    edf_total : float
        Total effective degrees of freedom.
    deviance_explained : float
        Share of the deviance that the model explains, 0 to 1.
    r_sq_adj : float
        Adjusted R squared.
    n : int
        Number of rows of the fit.
    coefficients : int
        Number of coefficients.
    p : float
        p-value of the model by permutation.
    null_edf, null_deviance_explained : float
        Medians over the models of permuted responses.
    null_high : float
        95 % quantile of the deviance that these models explain.
    """

    method: str
    criterion: float | None
    scale: float
    edf_total: float
    deviance_explained: float
    r_sq_adj: float | None
    n: int
    coefficients: int
    p: float
    null_edf: float
    null_deviance_explained: float
    null_high: float
