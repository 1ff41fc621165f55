"""Fingerprint of the training code, which determines the result of a trial together with its specification and data."""

from gamtune.runtime.fingerprint import code_fingerprint, with_versions

LIBRARIES = ("keras", "numpy", "tensorflow")  # their versions are included, since an upgrade may change the results


def training_code() -> str:
    """Return the fingerprint of the training code and of the versions of its libraries, a hexadecimal SHA-256."""
    return with_versions(code_fingerprint("gamtune.learners.trial"), LIBRARIES)
