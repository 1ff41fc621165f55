"""Artefacts of a study for the tests, with given attributes and plausible values for the others."""

from gamtune.results.dataset import DatasetInfo


def dataset(**changes):
    """Return the description of a classification with two classes and 50 test samples."""
    described = {
        "task": "classification", "inputs": 61, "classes": [0, 1], "target_mean": None, "target_sd": None,
        "selected_on": "validation", "rows": {"train": 200, "validation": 50, "test": 50}, "fingerprint": "ab" * 32,
    }  # fmt: skip
    return DatasetInfo(**described | changes)
