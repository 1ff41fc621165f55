"""Typed rows of CSV files are read and written without a change, and invalid cells are reported with their row."""

import pytest
from stored import GOLDEN, STUDIES

from gamtune.config.settings import make_spec
from gamtune.errors import DamagedError
from gamtune.results.csv_rows import Candidate, ColumnUse, FinalistTest, Support

SPEC = make_spec({"neurons": [20]}, 1)
CANDIDATE = Candidate("a", "default", "=formula", 0.1, None, 0.5, 0.25, None, SPEC)


@pytest.mark.parametrize("study", STUDIES)
@pytest.mark.parametrize(("row", "name"), [(FinalistTest, "optimum/tests.csv"), (ColumnUse, "data/columns.csv")])
def test_a_stored_file_is_read_and_written_unchanged(tmp_path, study, row, name):
    path = GOLDEN / study / name
    row.write(row.read(path), tmp_path / "again.csv")
    assert (tmp_path / "again.csv").read_text() == path.read_text()


def test_empty_cells_are_none_in_optional_fields_and_empty_in_texts(tmp_path):
    path = tmp_path / "candidates.csv"
    empty = Candidate("b", "default", "", None, None, None, None, "no row", None)
    Candidate.write([CANDIDATE, empty], path)
    assert Candidate.read(path) == [CANDIDATE, empty]
    assert path.read_text().splitlines()[2] == 'b,default,"",,,,,no row,'


def test_a_value_is_a_number_or_a_text(tmp_path):
    rows = [Support("a", "l1", 0.1, 0.0, 1.0, 0.5, ""), Support("a", "activation", "relu", None, None, None, "")]
    Support.write(rows, tmp_path / "support.csv")
    assert Support.read(tmp_path / "support.csv") == rows


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (("0.5", "far"), "row 1: column 'nearest' is 'far', expected a number"),
        (("neurons", "cells"), "row 1: column 'spec' is '.*', expected the specification of a trial"),
        (("usual", "odd"), "it has no column 'usual'"),
    ],
)
def test_an_invalid_cell_is_reported_as_damaged(tmp_path, change, found):
    path = tmp_path / "candidates.csv"
    Candidate.write([CANDIDATE], path)
    text = path.read_text().replace(*change)
    path = tmp_path / "changed.csv"
    path.write_text(text)
    with pytest.raises(DamagedError, match=rf"changed\.csv: damaged: {found}; delete it and run again"):
        Candidate.read(path)
