"""A complete study, run once: its files and its reproducibility."""

import json
import re
import shutil
import sqlite3
import sys

import pytest
from project import ROOT, SMALL

pytestmark = pytest.mark.workflow

CONTRACT = [
    "table.csv",
    "data/x_train.npy",
    "data/y_test.npy",
    "data/dataset.json",
    "data/preprocessing.json",
    "data/split.csv",
    "summary.csv",
    "figures/mse_by_parameter.png",
    "figures/mse_by_parameter.svg",
    "gam/summary.txt",
    "gam/terms.csv",
    "gam/model.csv",
    "gam/effects.csv",
    "gam/importance.csv",
    "figures/importance.svg",
    "figures/budget.png",
    "figures/learning_curves.png",
    "figures/parallel_coordinates.png",
    "optimum/figures/calibration.png",
    "optimum/figures/confusion_matrix.svg",
    "selection/candidates.csv",
    "selection/support.csv",
    "selection/selection.json",
    "optimum/model.keras",
    "optimum/record.json",
    "optimum/preprocessing.json",
    "optimum/confusion_matrix.csv",
    "optimum/predictions.csv",
    "optimum/comparison.csv",
    "optimum/tests.csv",
    "optimum/weights/logits_kernel.csv",
    "optimum/weights/hidden_1_bias.csv",
    "report.html",
    "tracking/synced.json",
]


@pytest.mark.parametrize("file", CONTRACT)
def test_a_study_writes_every_expected_file(finished_once, file):
    assert finished_once.path(file).stat().st_size > 0


def documented():
    """Return the paths and columns that results/README.md describes, as patterns."""
    sections = re.split(r"^### `(.+)`$", (ROOT / "results" / "README.md").read_text(), flags=re.M)[1:]
    columns = {}
    for path, text in zip(sections[::2], sections[1::2], strict=True):
        cells = re.findall(r"^\| (`.+?) \|", text, re.M)
        columns[pattern(path)] = [pattern(name) for cell in cells for name in re.findall(r"`(.+?)`", cell)]
    return columns


NAMES = {
    "hyperparameter": "|".join(SMALL["space"]),
    "term": r"s\(l1\)|rho",
    "class": "[0-9]",
    "metric": "mse|rmse|r2|logloss|accuracy|mean_per_class_error",
    "format": "png|svg",
}


def pattern(text):
    """Return a pattern for a text in which names in angle brackets are placeholders."""
    parts = re.split(r"<(\w+)>", text)
    parts[::2], parts[1::2] = map(re.escape, parts[::2]), (f"({NAMES.get(name, '[^/]+')})" for name in parts[1::2])
    return re.compile("".join(parts))


def test_the_readme_of_the_results_explains_every_file_and_column(finished_once):
    explained = documented()
    table = next(columns for path, columns in explained.items() if path.fullmatch("table.csv"))
    seen = set()
    for file in sorted(finished_once.path().rglob("*")):
        name = file.relative_to(finished_once.path()).as_posix()
        if not file.is_file() or file.name.startswith("."):
            continue
        found = [path for path in explained if path.fullmatch(name)]
        assert found, f"{name} is not explained"
        seen.update(found)
        columns = explained[found[0]] + (table if name == "summary.csv" else [])
        if columns:
            for column in file.open().readline().strip().split(","):
                assert any(known.fullmatch(column) for known in columns), f"{name}: column {column} is not explained"
    others = ("gam/skipped.txt", "data/source.json")  # of other studies
    assert explained.keys() - seen == set(map(pattern, others))


def test_every_trial_has_its_record_log_and_model(finished_once):
    for row in finished_once.rows("table.csv"):
        folder = finished_once.path("trials") / row["trial"]
        assert {path.name for path in folder.glob("[!.]*")} == {"record.json", "model.keras", "log.txt"}
        assert json.loads((folder / "record.json").read_text())["status"] == "ok"


def test_the_summary_is_the_table_with_the_metrics_of_the_records(finished_once):
    table, summary = finished_once.rows("table.csv"), finished_once.rows("summary.csv")
    assert [{name: row[name] for name in table[0]} for row in summary] == table
    for row in summary:
        record = finished_once.json(f"trials/{row['trial']}/record.json")
        assert float(row["validation_mse"]) == record["metrics"]["validation"]["mse"]
        assert float(row["train_mean_per_class_error"]) == record["metrics"]["train"]["mean_per_class_error"]
        assert (row["status"], row["reason"], int(row["epochs_run"])) == ("ok", "", record["epochs_run"])


def test_the_selected_candidate_has_the_lowest_mean_over_common_seeds(finished_once):
    selection = finished_once.json("selection/selection.json")
    means = {}
    for candidate in ("observed_1", "gam_optimum"):
        records = [finished_once.json(f"confirm/{candidate}/{number}/record.json") for number in (1, 2)]
        assert [record["spec"]["weight_seed"] for record in records] == selection["weight_seeds"]
        means[candidate] = sum(record["metrics"]["validation"]["mse"] for record in records) / 2
    assert selection["optimum"] == min(means, key=means.get)
    tried = {
        finished_once.json(f"trials/{row['trial']}/record.json")["spec"]["weight_seed"]
        for row in finished_once.rows("table.csv")
    }
    final = [finished_once.json(f"final/optimum/{number}/record.json")["spec"]["weight_seed"] for number in (1, 2)]
    assert len({*tried, *selection["weight_seeds"], *final}) == len(tried) + 4
    assert finished_once.json("optimum/record.json")["spec"]["weight_seed"] == final[0]


def test_the_best_observed_candidate_has_the_lowest_validation_error(finished_once):
    best = min(finished_once.rows("summary.csv"), key=lambda row: float(row["validation_mse"]))
    candidate = finished_once.rows("selection/candidates.csv")[0]
    assert (candidate["candidate"], candidate["source"]) == ("observed_1", f"configuration {best['name']}")


def test_the_exported_predictions_give_the_test_scores(finished_once):
    done = finished_once.gamtune("metrics", str(finished_once.path("optimum/predictions.csv")))
    scored = json.loads(done.output)
    test = next(
        row for row in finished_once.rows("optimum/comparison.csv") if (row["what"], row["part"]) == ("optimum", "test")
    )
    for metric in ("mse", "logloss", "accuracy", "mean_per_class_error", "r2"):
        assert float(test[metric]) == pytest.approx(scored[metric], rel=1e-9)
    matrix = finished_once.rows("optimum/confusion_matrix.csv")
    assert [[int(row[str(digit)]) for digit in range(10)] for row in matrix[:-1]] == scored["confusion_matrix"]
    assert matrix[-1]["actual"] == "Totals"


def test_the_exported_network_reproduces_the_metrics_of_its_record(finished_once, root):
    code = """import json, sys
from gamtune.data.arrays import Prepared
from gamtune.learners.mlp.model_file import load_raw
from gamtune.learners.mlp.scoring import score
from pathlib import Path
data = Prepared.open(Path("results/small/data/dataset.json"))
raw = load_raw(Path("results/small/optimum/model.keras"))
print(json.dumps({part: score(raw, data.part(part), data) for part in ("train", "validation")}))"""
    done = finished_once.call("env", f"PYTHONPATH={root / 'workflow'}", sys.executable, "-c", code)
    assert done.code == 0, done.output
    scored = json.loads(next(line for line in done.output.splitlines() if line.startswith("{")))
    assert scored == finished_once.json("optimum/record.json")["metrics"]


def test_training_the_exported_seed_again_gives_the_same_metrics(finished):
    before = finished.json("optimum/record.json")
    for path in ("results/store", "results/small/final/optimum/1"):
        finished.call("rm", "-r", path)
    done = finished.snakemake("--cores", "1", "results/small/final/optimum/1/record.json")
    assert done.code == 0, done.output
    again = finished.json("final/optimum/1/record.json")
    assert again["metrics"] == before["metrics"]
    assert again["finished"] > before["finished"]


def test_mlflow_lists_every_trial_once_and_no_run_is_unfinished(finished_once):
    with sqlite3.connect(f"file:{finished_once.folder / 'results/mlflow.db'}?mode=ro", uri=True) as database:
        rows = database.execute(
            "select t.value, r.status from runs r join tags t on t.run_uuid = r.run_uuid and t.key = 'gamtune.role'"
            " where r.lifecycle_stage = 'active'"
        ).fetchall()
        aliases = database.execute("select name, alias from registered_model_aliases").fetchall()
    roles = [role for role, _ in rows]
    references = sum(
        json.loads(path.read_text())["status"] == "ok"
        for path in finished_once.path("final/observed_1").rglob("*.json")
    )
    wanted = {"trial": 5, "confirmation": 4, "optimum": 1, "final": 1 + references, "study": 1}
    assert {role: roles.count(role) for role in set(roles)} == wanted
    assert {status for _, status in rows} == {"FINISHED"}
    assert aliases == [("small", "champion")]


def test_show_prints_best_trial_optimum_test_score_report_and_ui(finished_once):
    assert "Report: results/small/report.html" in (finished_once.folder / "run.txt").read_text()
    shutil.copy(ROOT / "Makefile", finished_once.folder)
    done = finished_once.gamtune("show", finished_once.config)
    test = next(
        row for row in finished_once.rows("optimum/comparison.csv") if (row["what"], row["part"]) == ("optimum", "test")
    )
    best = min(finished_once.rows("summary.csv"), key=lambda row: float(row["validation_mse"]))
    assert f"Best (search)    {best['name']}, validation MSE {float(best['validation_mse']):.4f}" in done.output
    assert "fresh seeds" in done.output
    assert f"MSE {float(test['mse']):.4f}, accuracy {float(test['accuracy']):.4f}" in done.output
    assert "results/small/report.html" in done.output
    assert "make ui CONFIG=config/small.yaml" in done.output


def test_a_second_run_is_a_no_op(finished):
    assert finished.snakemake().nothing_done


def test_results_do_not_depend_on_the_number_of_cores(finished):
    before = {row["trial"]: finished.json(f"trials/{row['trial']}/record.json") for row in finished.rows("table.csv")}
    chosen = list(before)[:2]
    for path in ("results/store", *(f"results/small/trials/{trial}" for trial in chosen)):
        finished.call("rm", "-r", path)
    targets = [f"results/small/trials/{trial}/record.json" for trial in chosen]
    done = finished.snakemake("--cores", "1", *targets)
    assert done.jobs["train"] == 2
    for trial in chosen:
        again = finished.json(f"trials/{trial}/record.json")
        assert json.dumps(again["metrics"]) == json.dumps(before[trial]["metrics"])
        assert again["finished"] > before[trial]["finished"]


def test_deleting_a_record_leaves_one_run_per_trial(finished):
    trial = finished.rows("table.csv")[0]["trial"]
    finished.path(f"trials/{trial}/record.json").unlink()
    done = finished.snakemake("--until", "train")
    assert done.code == 0, done.output
    assert done.jobs["train"] == 1
    synced = finished.gamtune("sync", finished.config)
    assert synced.code == 0, synced.output
    with sqlite3.connect(finished.folder / "results/mlflow.db") as database:
        count = database.execute(
            "select count(*) from runs r join tags t on t.run_uuid = r.run_uuid"
            " where r.lifecycle_stage = 'active' and t.key = 'gamtune.role' and t.value = 'trial'"
        ).fetchone()
    assert count == (5,)


def test_the_report_of_snakemake_is_written(finished):
    done = finished.snakemake("--report", "report.html")
    assert done.code == 0, done.output
    page = (finished.folder / "report.html").read_text()
    for text in ("mse_by_parameter", "Analysis", "Selection", "figure"):
        assert text in page


def test_a_study_with_too_few_configurations_for_the_gam_runs_without_it(finished):
    finished.configure(analysis__gam="te(l1, rho, k=3)")
    refused = finished.gamtune("check", finished.config)
    assert refused.code == 2
    assert "analysis.gam: the formula has 9 coefficients, more than the 5 configurations" in refused.output
    finished.configure(analysis__gam="log(l1) + log10(l1)")
    done = finished.snakemake("--until", "report")
    assert done.code == 0, done.output
    reason = "log(l1) and log10(l1) are not distinguishable on these rows"
    assert finished.path("gam/skipped.txt").read_text().startswith(reason)
    assert not finished.path("gam/terms.csv").exists()
    assert finished.path("figures/mse_by_parameter.png").exists()
    assert reason in finished.path("report.html").read_text()
    assert finished.json("selection/selection.json")["optimum"] == "observed_1"
