"""The public data sets: URLs and checksums of their files, and their readers."""

import gzip
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from gamtune.config.data_section import HAR_GROUP
from gamtune.data.downloads import Download, unpacked
from gamtune.data.rows import Rows

# Anguita, Ghio, Oneto, Parra, Reyes-Ortiz: A Public Domain Dataset for Human Activity Recognition Using Smartphones,
# ESANN 2013
HAR = Download(
    "har",
    {
        "features.txt": "b384889885b1c8680ecf250e0e605b4c79536cdf09ce9f2fa7225a3c6773b5c7",
        "activity_labels.txt": "f6e6b292704438261f0283b2a82659ab0661447dc16520938bdf379ed1bf8de0",
        "train/X_train.txt": "9c1246099c8d5463779eec5a3845cc3898df9d8c715441ab2a1232d4421fc42f",
        "train/y_train.txt": "415b3357e2e2d5e70a45c781947c6bdd80e0410a579d862eedcd6bbce3c694ef",
        "train/subject_train.txt": "66e1e2fbe9b396fa5155f531dc3348c803f503be663e2318772d49947db9153a",
        "test/X_test.txt": "99035209add50d17650e847d8a4658d784a5707466ebb7c2deb97c28e5250a78",
        "test/y_test.txt": "2a94cb53ca46b956c1b2aebd4a09a72badd8a8e9ea9cdfe9f31b3306a08666bb",
        "test/subject_test.txt": "63b8c577f4a85431c06bd87f6384608c90a9f72f05c7956dd21255dc63515c07",
    },
    ["https://archive.ics.uci.edu/static/public/240/human+activity+recognition+using+smartphones.zip"],
)
# LeCun, Bottou, Bengio, Haffner: Gradient-based learning applied to document recognition, Proc. IEEE 86(11), 1998
MNIST = Download(
    "mnist",
    {
        "train-images-idx3-ubyte.gz": "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        "train-labels-idx1-ubyte.gz": "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        "t10k-images-idx3-ubyte.gz": "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        "t10k-labels-idx1-ubyte.gz": "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
    },
    ["https://ossci-datasets.s3.amazonaws.com/mnist", "https://storage.googleapis.com/cvdf-datasets/mnist"],
)
PUBLIC = {download.name: download for download in (HAR, MNIST)}


def read_public(name: str, files: Mapping[str, Path]) -> Rows:
    """Return the samples of a public data set.

    Parameters
    ----------
    name : str
        ``har`` or ``mnist``.
    files : mapping of str to Path
        Local paths of its files by their names in `PUBLIC`.
    """
    return {"har": _read_har, "mnist": _read_mnist}[name](files)


def _read_har(files: Mapping[str, Path]) -> Rows:
    """Read 561 features of 10,299 windows of smartphone motion data, with six activities and 30 subjects.

    The test samples are those of nine subjects. 84 names occur more than once and are numbered ``.1``, ``.2``.
    """
    names = _distinct([line.split(" ", 1)[1] for line in _lines(files["features.txt"])])
    activities = [line.split(" ", 1)[1] for line in _lines(files["activity_labels.txt"])]
    features, targets, subjects, parts = [], [], [], []
    for part in ("train", "test"):
        with unpacked(files[f"{part}/X_{part}.txt"]) as file:
            features.append(pd.read_csv(file, sep=r"\s+", header=None, names=names))
        targets += [int(number) - 1 for number in _lines(files[f"{part}/y_{part}.txt"])]
        subjects += [int(number) for number in _lines(files[f"{part}/subject_{part}.txt"])]
        parts += ["" if part == "train" else part] * len(features[-1])
    return Rows(
        pd.concat(features, ignore_index=True),
        np.array(targets, np.int32),
        "activity",
        activities,
        np.array(parts),
        pd.Series(subjects, name=HAR_GROUP),
    )


def _read_mnist(files: Mapping[str, Path]) -> Rows:
    """Read 784 pixels, 0 to 255, of 70,000 handwritten digits; the last 10,000 are the test samples."""
    images, labels, parts = [], [], []
    for part, prefix in (("", "train"), ("test", "t10k")):
        images.append(_read_idx(files[f"{prefix}-images-idx3-ubyte.gz"]))
        labels.append(_read_idx(files[f"{prefix}-labels-idx1-ubyte.gz"]))
        parts += [part] * len(labels[-1])
    pixels = np.concatenate(images)
    names = [f"pixel_{row}_{column}" for row in range(pixels.shape[1]) for column in range(pixels.shape[2])]
    table = pd.DataFrame(pixels.reshape(len(pixels), -1), columns=names)
    return Rows(table, np.concatenate(labels).astype(np.int32), "digit", list(range(10)), np.array(parts))


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


def _distinct(names: list[str]) -> list[str]:
    """Return the names with ``.1``, ``.2`` appended to repeated ones, as in pandas."""
    times: Counter[str] = Counter()
    distinct = []
    for name in names:
        distinct.append(f"{name}.{times[name]}" if times[name] else name)
        times[name] += 1
    return distinct


def _read_idx(path: Path) -> npt.NDArray[np.uint8]:
    """Read an idx file: two zero bytes, type, number of dimensions, their sizes (big-endian int32), and the values."""
    content = gzip.decompress(path.read_bytes())
    shape = np.frombuffer(content, ">i4", content[3], offset=4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * len(shape)).reshape(shape)
