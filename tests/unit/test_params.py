"""Snakemake compares the parameters of jobs without pandas, with the same result as with pandas."""

from snakemake.persistence import UNREPRESENTABLE, PersistenceBase

from gamtune.runtime.params import compare_params_without_pandas

VALUES = ["a text", 3, 0.1, None, ["a", "b"], ("l1", 4), {"depth": 1}, object()]


def test_parameters_are_compared_as_by_snakemake(monkeypatch):
    monkeypatch.setattr(
        PersistenceBase, "_serialize_param", PersistenceBase._serialize_param
    )  # restored after the test
    concrete = type("Persistence", (PersistenceBase,), {})
    concrete.__abstractmethods__ = frozenset()
    persistence = concrete.__new__(concrete)
    before = [PersistenceBase._serialize_param_pandas(persistence, value) for value in VALUES]
    compare_params_without_pandas()
    assert [persistence._serialize_param(value) for value in VALUES] == before
    assert before[-1] is UNREPRESENTABLE
    assert persistence._serialize_param == persistence._serialize_param_builtin
