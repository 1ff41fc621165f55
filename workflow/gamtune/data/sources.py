"""Read the samples of the data source."""

from gamtune.config.data_section import Data
from gamtune.data.downloads import fetch
from gamtune.data.public import PUBLIC, read_public
from gamtune.data.rows import Rows, class_indices
from gamtune.data.table_file import read_table


def read_rows(data: Data) -> Rows:
    """Read the samples of the source in the config.

    Raises
    ------
    InputError
        If the source cannot be read or is not valid; the message names file, row and column.
    """
    if data.source in PUBLIC:
        return read_public(data.source, fetch(PUBLIC[data.source], data.mirror))
    if data.source == "table":
        return read_table(data)
    from sklearn.datasets import load_digits  # imported here because only this source needs it

    bunch = load_digits(as_frame=True)
    indices, classes = class_indices(bunch.target)
    return Rows(bunch.data, indices, "target", classes)
