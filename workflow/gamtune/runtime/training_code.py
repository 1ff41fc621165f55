"""Fingerprint of the code that trains: with a trial's specification and its data, it determines the result."""

from gamtune.runtime.fingerprint import code_fingerprint, with_versions

LIBRARIES = ("keras", "numpy", "tensorflow")  # whose versions count, as an upgrade may change any result


def training_code() -> str:
    """Return the fingerprint of the training code and of the versions of its libraries, a hexadecimal sha256."""
    return with_versions(code_fingerprint("gamtune.learners.trial"), LIBRARIES)
