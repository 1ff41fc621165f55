"""Every step that reads a damaged file of the results reports it in one line that states what to do."""

import json
import shutil

import numpy as np
import pytest
from configs import CONFIG
from made import dataset

from gamtune.analysis.summary import summarise
from gamtune.cli.main import main
from gamtune.config.load import parse_study
from gamtune.config.settings import make_spec
from gamtune.errors import DamagedError, InputError
from gamtune.files import check_folder, checksum_of, copy_file, read_json, write_text
from gamtune.results.artefacts import read_artefact, read_rows
from gamtune.results.captions import Captions
from gamtune.results.clean_up import remove_failed_trials
from gamtune.results.data_warnings import DataWarnings
from gamtune.results.dataset import DatasetInfo
from gamtune.results.layout import SLOTS as FILE
from gamtune.results.records import Record
from gamtune.results.selection import Selection
from gamtune.results.slots_file import FilledSlot, read_slot, write_slots
from gamtune.search.planned import check_summary
from gamtune.search.table import build_table, table_csv
from gamtune.selection.show import show

ROUNDS = {"strategy": "tpe", "draws": 10, "seed": 1, "rounds": 1, "per_round": 2}


def flipped(content):
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


DAMAGES = {
    "emptied": lambda content: b"",
    "truncated": lambda content: content[: len(content) // 2],
    "without its last byte": lambda content: content[:-1],
    "flipped": flipped,
    "zeros": lambda content: bytes(len(content)),
}


def write_record(path, trial, mse=0.5, **changes):
    record = {"trial": trial, "status": "ok", "reason": None, "seconds": 1.0, "epochs_run": 2, "best_epoch": 2}
    record |= {"metrics": {"train": {"mse": mse}, "validation": {"mse": mse}}} | changes
    write_text(path, json.dumps(record))


@pytest.fixture
def config(request):
    search = getattr(request, "param", None)
    return parse_study(CONFIG | ({"search": search} if search else {}), "config.yaml")


@pytest.fixture
def folder(tmp_path, config):
    """Return the results of a study whose trials have been trained."""
    dataset(task="regression", classes=None).write(tmp_path / "data" / "dataset.json")
    write_text(tmp_path / "table.csv", table_csv(config))
    for row in build_table(config):
        write_record(tmp_path / "trials" / row.spec.trial / "record.json", row.spec.trial)
    for stage in config.search.stages:
        spec = make_spec({"neurons": [31]}, 1)
        write_slots(tmp_path / stage / FILE, [FilledSlot("1", "new", spec), FilledSlot("2", "", None, "no other")])
        write_record(tmp_path / stage / "1" / "record.json", spec.trial)
    return tmp_path


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
@pytest.mark.parametrize("config", [ROUNDS], indirect=True)
def test_every_input_file_of_a_summary_is_checked_for_damage(config, folder, damage):
    summarise(config, folder)
    whole = (folder / "summary.csv").read_bytes()
    files = [path for path in sorted(folder.rglob("[!.]*.*")) if path.is_file() and path.name != "summary.csv"]
    assert len(files) == 14
    for path in files:
        good = path.read_bytes()
        path.write_bytes(damage(good))
        with pytest.raises(DamagedError) as caught:
            summarise(config, folder)
        assert str(caught.value).startswith(f"{path}: damaged: ")
        assert str(caught.value).endswith("; delete it and run again")
        assert "\n" not in str(caught.value)
        path.write_bytes(good)
    summarise(config, folder)
    assert (folder / "summary.csv").read_bytes() == whole


@pytest.mark.parametrize("config", [ROUNDS], indirect=True)
def test_the_table_and_slots_of_another_study_are_refused(config, folder):
    for file, column, kept in ((folder / "table.csv", "trial", 9), (folder / "rounds/1" / FILE, "slot", 1)):
        good = file.read_text()
        header, *rows = good.splitlines(keepends=True)
        write_text(file, "".join([header, *rows[:kept]]))
        with pytest.raises(DamagedError, match=rf"it has {kept} row\(s\), expected {kept + 1}; delete it"):
            summarise(config, folder)
        write_text(file, "".join([header, *reversed(rows)]))
        with pytest.raises(DamagedError, match=f"row 1 is {column} '.*', expected '.*'; delete it"):
            summarise(config, folder)
        write_text(file, "a,b\n1,2\n")
        with pytest.raises(DamagedError, match=f"it has no column '{column}'; delete it"):
            summarise(config, folder)
        write_text(file, good)


def test_a_record_of_another_trial_is_refused(config, folder):
    first, second = ((folder / "trials" / row.spec.trial / "record.json") for row in build_table(config)[:2])
    copy_file(second, first)
    with pytest.raises(DamagedError, match=f"record of trial {second.parent.name}, expected {first.parent.name}"):
        summarise(config, folder)


def test_a_summary_of_other_trials_is_refused(config, folder):
    summarise(config, folder)
    check_summary(config, folder)
    more = parse_study(CONFIG | {"search": CONFIG["search"] | {"draws": 11}}, "config.yaml")
    for study in (more, parse_study(CONFIG | {"search": CONFIG["search"] | {"seed": 2}}, "config.yaml")):
        with pytest.raises(
            InputError, match=r"summary\.csv: does not contain the 1[01] trials of the config; run the study"
        ):
            check_summary(study, folder)


@pytest.mark.parametrize(
    "content", ["[]", '"text"', "3", "null", "{}", '{"status": "odd"}', '{"status": "ok"}', "\x00"]
)
def test_an_invalid_record_is_reported_as_damaged(tmp_path, content):
    (tmp_path / "record.json").write_text(content)
    with pytest.raises(DamagedError, match=r"record\.json: damaged: .*; delete it and run again"):
        Record.read(tmp_path / "record.json")


def test_an_invalid_selection_file_is_reported_as_damaged(tmp_path):
    candidate = {"candidate": "a", "rule": "default", "source": "the default"}
    selection = {
        "optimum": "a", "choose": "lowest_mean", "selected_on": "validation", "why": "best", "weight_seeds": [1],
        "spec": {"l1": 0.1}, "candidates": [candidate], "optimism": None,
    }  # fmt: skip
    path = tmp_path / "selection.json"
    for changes, problem in (
        ({"optimum": "b"}, "its optimum 'b' is not one of its candidates"),
        ({"weight_seeds": ["one"]}, "weight_seeds.0: input should be a valid integer"),
        ({"candidates": [candidate | {"n": None}]}, "candidates.0.n: input should be a valid integer"),
        ({"version": 2}, "its format has version 2, expected 1"),
    ):
        write_text(path, json.dumps(selection | changes))
        with pytest.raises(DamagedError, match=rf"selection\.json: damaged: {problem}; delete it and run again"):
            Selection.read(path)
    for key in selection:
        write_text(path, json.dumps({name: value for name, value in selection.items() if name != key}))
        with pytest.raises(DamagedError, match=f"it has no '{key}'"):
            Selection.read(path)
    write_text(path, json.dumps(selection))
    selection = Selection.read(path)
    assert selection.selected.source == "the default"
    selection.write(path)
    assert Selection.read(path) == selection
    assert json.loads(path.read_text())["version"] == 1


@pytest.mark.parametrize("read", [DatasetInfo.read, Record.read, Selection.read, Captions.read, DataWarnings.read])
def test_a_file_of_another_version_is_refused(tmp_path, read):
    content = {"version": 2, "status": "failed", "captions": {}, "sections": {}, "warnings": []}
    content |= dict(optimum="a", choose="", selected_on="", why="", weight_seeds=[], spec={}, optimism=None)
    (tmp_path / "a.json").write_text(json.dumps(content | {"candidates": [dict(candidate="a", rule="", source="")]}))
    with pytest.raises(DamagedError, match=r"a\.json: damaged: its format has version 2, expected 1; delete it"):
        read(tmp_path / "a.json")


@pytest.mark.parametrize("config", [ROUNDS], indirect=True)
def test_a_missing_slot_is_reported_without_traceback(config, folder):
    with pytest.raises(DamagedError, match=r"it has 2 slot\(s\), and no slot '3'"):
        read_slot(folder / "rounds" / "1" / FILE, "3")


def test_a_file_is_read_without_checksum_but_not_with_a_wrong_one(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("a,b\n1,2\n")
    assert read_rows(path) == [{"a": "1", "b": "2"}]
    write_text(path, "a,b\n1,2\n")
    path.write_text("a,b\n1,3\n")
    for read in (read_rows, read_artefact):
        with pytest.raises(DamagedError, match=r"does not match its checksum in \.a\.csv\.sha256"):
            read(path)
    checksum_of(path).write_text("")  # its writing process was killed
    assert read_rows(path) == [{"a": "1", "b": "3"}]


def test_the_message_for_a_damaged_folder_is_to_delete_the_whole_folder(tmp_path):
    folder = tmp_path / "gam"
    for name in ("terms.csv", "model.csv"):
        write_text(folder / name, "a\n1\n")
    check_folder(folder)
    (folder / "model.csv").unlink()
    with pytest.raises(DamagedError, match=rf"model\.csv: damaged: it is missing; delete the folder {folder} and run"):
        check_folder(folder)
    (folder / "model.csv").write_text("")
    with pytest.raises(DamagedError, match="does not match its checksum"):
        check_folder(folder)


@pytest.mark.parametrize("place", ["gam", "figures", "selection", "optimum/figures", "final/optimum/1"])
def test_show_reports_damaged_files_that_no_step_reads(tmp_path, config, place):
    file = tmp_path / "small" / place / "terms.csv"
    write_text(file, "a\n1\n")
    file.write_text("a\n2\n")
    with pytest.raises(
        DamagedError, match=rf"{place}/terms\.csv: damaged: .*; delete the folder .*{place} and run again"
    ):
        show(config, tmp_path, "config.yaml")


def test_reset_failed_leaves_damaged_records_to_the_next_run(tmp_path):
    study, store = tmp_path / "study", tmp_path / "store"
    write_record(study / "trials" / "a" / "record.json", "a", status="failed")
    write_text(study / "trials" / "b" / "record.json", "{")
    write_text(store / "c" / "record.json", "")
    write_record(store / "d" / "record.json", "a", status="failed")
    assert remove_failed_trials(study, store) == 1
    assert (study / "trials" / "b" / "record.json").exists()
    assert [path.name for path in store.iterdir()] == ["c"]


def test_damaged_files_are_reported_in_one_line_with_exit_code_2(folder, config, monkeypatch, capsys, tmp_path):
    work = tmp_path / "work"
    shutil.copytree(folder, work / "results" / "small", ignore=shutil.ignore_patterns("work"))
    (work / "config.yaml").write_text(json.dumps(CONFIG))
    monkeypatch.chdir(work)
    assert main(["summarise", "config.yaml", "--study", "results/small"]) == 0
    record = next((work / "results" / "small" / "trials").glob("*/record.json")).relative_to(work)
    record.write_bytes(record.read_bytes()[:-1])
    assert main(["summarise", "config.yaml", "--study", "results/small"]) == 2
    error = capsys.readouterr().err
    assert error == (
        f"{record}: damaged: its content does not match its checksum in .record.json.sha256; delete it and run again\n"
    )


def test_numbers_are_read_from_json_unchanged(tmp_path):
    write_text(tmp_path / "a.json", json.dumps({"a": float(np.float64(0.1))}))
    assert read_json(tmp_path / "a.json", "a") == {"a": 0.1}
