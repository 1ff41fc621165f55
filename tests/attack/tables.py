"""Mutated tables: each is read correctly, or refused in one clear line with exit code 2.

Every table is read by the data step and by ``gamtune check --data``, which must give the same result. Some are also read
by ``gamtune predict``, as samples without a target. The prepared data are compared with the values that were written.
"""

import csv
import json
from pathlib import Path
from random import Random

import numpy as np
import yaml

from attack.command import Answer, gamtune, import_once
from attack.table_mutations import (
    EITHER,
    HEADER,
    MUTATIONS,
    NUMBERS,
    REFUSED,
    SAME,
    Mutation,
    content,
    plain,
)
from attack.verdict import Failure
from gamtune.config.settings import make_spec

LINES, CHARACTERS = 3, 700  # of a message
SECONDS = 20.0
TARGET, GROUP, UNUSED = "kind", "site", "id_free"
PREDICTED_EVERY = 3  # cases are also read by predict


def prepare(folder: Path) -> None:
    """Prepare the data of the undisturbed table, compare them with its values, and train a model."""
    import_once("tensorflow", "keras", "gamtune.data.prepare", "gamtune.serving.predict", "gamtune.plan")
    work = folder / "reference"
    work.mkdir()
    (work / "rows.csv").write_text(plain(HEADER, content()))
    answer = _prepared(work, "rows.csv")
    if answer.code != 0:
        raise RuntimeError(answer.errors)
    _check_values(work)
    spec = make_spec({"neurons": [8], "epochs": 3}, 1).to_json()
    trained = gamtune("train", "--spec", spec, "--data", *_data_file(work), "--record", "model/record.json", "--store", "store",
                      cwd=work, limit=120)  # fmt: skip
    if trained.code != 0:
        raise RuntimeError(trained.errors)
    (work / "model" / "preprocessing.json").write_bytes((work / "data" / "preprocessing.json").read_bytes())
    (work / "new.csv").write_text(plain(*_inputs(HEADER, content())))
    predicted = gamtune("predict", "model/model.keras", "new.csv", cwd=work)
    if predicted.code != 0:
        raise RuntimeError(predicted.errors)
    (work / "predicted.csv").write_text(predicted.output)


def cases(number: int, seed: int) -> list[str]:
    """Return names of cases: every mutation in turn, in an order that depends on the seed."""
    names = Random(seed).sample(list(MUTATIONS), len(MUTATIONS))
    return [f"{names[index % len(names)]}/{seed}/{index}" for index in range(number)]


def attempt(folder: Path, case: str) -> int:
    """Try a case.

    Returns
    -------
    int
        1.

    Raises
    ------
    Failure
        If the result is not the expected one.
    """
    name, seed, index = case.split("/")
    mutation, reference = MUTATIONS[name], folder / "reference"
    work = folder / case.replace("/", "_")
    work.mkdir()
    written = mutation.write(Random(f"{seed}/{index}"), HEADER, content())
    assert written is not None
    (work / mutation.file).write_bytes(written)
    answer = _prepared(work, mutation.file)
    _examine(answer, mutation)
    if answer.code == 0:
        if mutation.expected != EITHER:
            _check_same(work, reference)
    elif left := [path.name for path in (work / "data").rglob("*")]:
        raise Failure("incomplete file", f"the table is refused, but these files are left: {left}")
    checked = gamtune("check", "--data", "config.yaml", cwd=work)
    _examine(checked, mutation)
    if checked.code != answer.code:
        raise Failure(
            "wrong result", f"check ends with {checked.code}, the data step with {answer.code}: {checked.errors[-300:]}"
        )
    if int(index) % PREDICTED_EVERY == 0:
        _check_predict(work, reference, mutation, Random(f"{seed}/{index}"))
    return 1


def _section(file: str) -> dict[str, object]:
    """Return the section ``data`` of the config."""
    return {
        "source": "table", "path": file, "target": TARGET, "group": GROUP, "drop": [UNUSED],
        "validation": {"groups": 2}, "test": {"groups": 2},
    }  # fmt: skip


def _prepared(work: Path, file: str) -> Answer:
    """Write a config and run the data step."""
    config = {"study": "s", "data": _section(file), "search": {"strategy": "manual", "rows": [{"neurons": 8}]}}
    (work / "config.yaml").write_text(yaml.safe_dump(config))
    return gamtune("data", "--data", "config.yaml", "--out", "data", cwd=work)


def _data_file(work: Path) -> list[str]:
    """Return the file that describes the prepared data."""
    return ["data/dataset.json"]


def _examine(answer: Answer, mutation: Mutation) -> None:
    lines = answer.errors.strip().splitlines()
    shown = answer.errors.strip()[-400:] or answer.output.strip()[:200]
    if "Traceback" in answer.errors or answer.code not in (0, 2):
        raise Failure("slow" if answer.code == -9 else "traceback", f"exit code {answer.code}: {shown}")
    if answer.seconds > SECONDS:
        raise Failure("slow", f"{answer.seconds:.1f} s")
    if answer.code == 2:
        if mutation.expected == SAME:
            raise Failure("not accepted", shown)
        if not lines or len(lines) > LINES or len(answer.errors) > CHARACTERS:
            raise Failure("unclear message", f"{len(lines)} lines, {len(answer.errors)} characters: {shown}")
        if any(not character.isprintable() for line in lines for character in line):
            raise Failure("unclear message", f"control characters: {shown!r}")
        if mutation.file not in answer.errors and "new." not in answer.errors:
            raise Failure("unclear message", f"the file is not named: {shown}")
        if mutation.names and mutation.names not in answer.errors:
            raise Failure("unclear message", f"{mutation.names!r} is not named: {shown}")
    elif mutation.expected == REFUSED:
        raise Failure("not refused", shown)


def _arrays(work: Path) -> dict[str, np.ndarray]:
    """Return every column of the prepared inputs and the targets, by part."""
    features = json.loads((work / "data" / "preprocessing.json").read_text())["features"]
    arrays: dict[str, np.ndarray] = {}
    for part in ("train", "validation", "test"):
        inputs = np.load(work / "data" / f"x_{part}.npy")
        arrays |= {f"{part} {name}": inputs[:, index] for index, name in enumerate(features)}
        arrays[f"{part} target"] = np.load(work / "data" / f"y_{part}.npy")
    return arrays


def _check_same(work: Path, reference: Path) -> None:
    found, expected = _arrays(work), _arrays(reference)
    if found.keys() != expected.keys():
        raise Failure("wrong result", f"the inputs differ: {sorted(found.keys() ^ expected.keys())[:6]}")
    for name, values in expected.items():
        if not np.array_equal(found[name], values):
            raise Failure("wrong result", f"the values differ: {name}")


def _check_values(work: Path) -> None:
    """Undo the standardisation and compare with the values that the table was written from."""
    rows = content()
    description = json.loads((work / "data" / "preprocessing.json").read_text())
    with (work / "data" / "split.csv").open(newline="") as file:
        parts = [row["part"] for row in csv.DictReader(file)]
    arrays = _arrays(work)
    for name in NUMBERS:
        index = description["features"].index(name)
        for part in ("train", "validation", "test"):
            cells = [row[HEADER.index(name)] for row, of in zip(rows, parts, strict=True) if of == part]
            values = arrays[f"{part} {name}"] * description["sd"][index] + description["mean"][index]
            for cell, value in zip(cells, values, strict=True):
                if cell is not None and abs(float(str(cell)) - value) > 1e-5 * (abs(value) + description["sd"][index]):
                    raise RuntimeError(f"the reference itself is wrong: {name} is {value} instead of {cell}")


def _inputs(header: list[str], rows: list[list[object]]) -> tuple[list[str], list[list[object]]]:
    """Return the table without target and group."""
    kept = [index for index, name in enumerate(header) if name not in (TARGET, GROUP)]
    return [header[index] for index in kept], [[row[index] for index in kept] for row in rows]


def _check_predict(work: Path, reference: Path, mutation: Mutation, random: Random) -> None:
    """Predict the samples of the mutated table; faults in target and group have no effect here."""
    file = mutation.file.replace("rows", "new")
    (work / file).write_bytes(mutation.write(random, HEADER, content()) or b"")
    answer = gamtune("predict", reference / "model" / "model.keras", file, cwd=work, limit=60)
    lines = answer.errors.strip().splitlines()
    shown = f"predict: {answer.errors.strip()[-400:]}"
    if "Traceback" in answer.errors or answer.code not in (0, 2):
        raise Failure("slow" if answer.code == -9 else "traceback", f"exit code {answer.code}: {shown}")
    if answer.code == 2 and (not lines or len(lines) > LINES or len(answer.errors) > CHARACTERS or answer.output):
        raise Failure("unclear message", shown)
    if answer.code == 2 and mutation.expected == SAME:
        raise Failure("not accepted", shown)
    only_target = mutation.names in (TARGET,) or mutation is MUTATIONS["one_row"]
    if answer.code == 0 and mutation.expected == REFUSED and not only_target:
        raise Failure("not refused", shown)
    if answer.code == 0 and mutation.expected not in (REFUSED, EITHER):
        found, expected = (
            list(csv.DictReader(text.splitlines()))
            for text in (answer.output, (reference / "predicted.csv").read_text())
        )
        if found != expected:
            raise Failure("wrong result", f"the predictions differ from those of the same samples: {shown}")
