"""Where rows come from: each source by its name."""

from gamtune.config.data_section import Data
from gamtune.data.downloads import fetch
from gamtune.data.public import PUBLIC, read_public
from gamtune.data.rows import Rows, class_indices
from gamtune.data.table_file import read_table


def read_rows(data: Data) -> Rows:
    """Read the source that the config names.

    Raises
    ------
    InputError
        With one line that says what cannot be used, and where.
    """
    if data.source in PUBLIC:
        return read_public(data.source, fetch(PUBLIC[data.source], data.mirror))
    if data.source == "table":
        return read_table(data)
    from sklearn.datasets import load_digits  # heavy, and only this source needs it

    bunch = load_digits(as_frame=True)
    indices, classes = class_indices(bunch.target)
    return Rows(bunch.data, indices, "target", classes)
