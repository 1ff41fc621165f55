"""Registries of the figures, and the sections of the report that show them.

Each implementation is a function that implements `gamtune.figures.figure.DrawFigures`. The figures of a section are
shown in the order of the registry.
"""

from enum import StrEnum

from gamtune.registry import Registry

FIGURES = Registry(
    "gamtune.figures",
    {
        "scatter": "gamtune.figures.scatter:draw_scatter",
        "effects": "gamtune.figures.effects:draw_effects",
        "budget": "gamtune.figures.budget:draw_budget",
        "learning": "gamtune.figures.learning:draw_learning",
        "parallel": "gamtune.figures.parallel:draw_parallel",
        "contours": "gamtune.figures.contour:draw_contours",
        "importance": "gamtune.figures.importance:draw_importance",
    },
)
OPTIMUM_FIGURES = Registry(
    "gamtune.optimum_figures",
    {
        "calibration": "gamtune.figures.calibration:draw_calibration",
        "confusion": "gamtune.figures.confusion:draw_confusion",
        "regression": "gamtune.figures.regression:draw_regression",
    },
)


class Section(StrEnum):
    """Sections of the report. A figure may name another one, which then follows the other figures at the end."""

    FOUND = "found"
    SEARCH = "search"
    EFFECTS = "effects"
    SINGLE_EFFECTS = "single_effects"
    IMPORTANCE = "importance"
    OPTIMUM = "optimum"
    OTHER = "other"
