"""The UI started by `gamtune ui` in a real browser, and the served champion."""

import csv
import io
import json
import re
import shutil
import sqlite3
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from servers import free_port, serving, status

pytestmark = pytest.mark.workflow
GAMTUNE, MLFLOW = Path(sys.executable).with_name("gamtune"), Path(sys.executable).with_name("mlflow")
SECTION = "experiment-view-compare-runs-section-header"
QUIET = {  # MLflow opens its assistant, which covers a quarter of the page
    "mlflow.assistant.panelOpen_v1": "false",
    "mlflow.assistant.fab.autoOpenedOnFirstLoad_v1": "true",
}


@pytest.fixture(scope="module")
def ui(finished_once, tmp_path_factory):
    """Return the address of the UI of the finished study, the printed link, and its process."""
    port, log = free_port(), tmp_path_factory.mktemp("ui") / "log.txt"
    site = f"http://127.0.0.1:{port}"
    command = [str(GAMTUNE), "ui", finished_once.config, "--port", str(port)]
    with serving(command, f"{site}/health", log, finished_once.folder) as server:
        [link] = re.findall(r"Ctrl-C\): (\S+)", log.read_text())
        yield site, link, server


def test_the_ui_accepts_only_local_host_names_and_runs_no_jobs(ui):
    site, link, server = ui
    assert link.startswith(site)
    port = site.rpartition(":")[2]
    assert status(f"{site}/", f"localhost:{port}") == 200
    for name in ("10.evil.example.com", "192.168.1.7", "evil.example.com"):
        assert status(f"{site}/ajax-api/2.0/mlflow/experiments/search?max_results=1", name) == 403
    group = subprocess.run(["ps", "-o", "args=", "-g", str(server.pid)], capture_output=True, text=True, check=True)
    assert not re.search("huey|job", group.stdout)
    environment = dict(
        item.split("=", 1)
        for item in Path(f"/proc/{server.pid}/environ").read_text().split("\0")
        if item.startswith("MLFLOW_")
    )
    assert environment["MLFLOW_DISABLE_TELEMETRY"] == "true"
    assert environment["MLFLOW_ALLOW_PICKLE_DESERIALIZATION"] == "false"
    assert environment["MLFLOW_SERVER_ENABLE_JOB_EXECUTION"] == "false"
    listening = subprocess.run(["ss", "-ltnH"], capture_output=True, text=True, check=False).stdout
    assert all(f"127.0.0.1:{port}" in line for line in listening.splitlines() if line.split()[3].endswith(f":{port}"))


@pytest.fixture(scope="module")
def browser():
    """Start Debian's Chromium, since playwright is installed without a browser."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("needs Chromium: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    quiet = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync", "--disable-quic"]
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=quiet)
        yield started
        started.close()


@pytest.fixture
def page(browser):
    """Return a page; fail if the browser sent requests to other machines."""
    context = browser.new_context(viewport={"width": 1500, "height": 1700})
    context.set_default_timeout(30_000)
    script = ";".join(f"localStorage.setItem({json.dumps(key)},{json.dumps(value)})" for key, value in QUIET.items())
    context.add_init_script(script)
    opened, elsewhere = context.new_page(), []
    opened.on("request", lambda request: elsewhere.append(request.url) if "127.0.0.1" not in request.url else None)
    yield opened
    context.close()
    assert [url for url in elsewhere if url.startswith("http")] == []


@pytest.mark.browser
def test_the_link_shows_every_trial_and_draws_the_charts(ui, page, finished_once, tmp_path):
    page.goto(ui[1])
    trials = {row["name"] for row in finished_once.rows("table.csv")}
    for name in trials:
        page.get_by_role("link", name=name, exact=True).first.wait_for()
    page.get_by_text(f"{len(trials)} matching runs").wait_for()
    page.get_by_test_id(SECTION).filter(has_text="Study small").wait_for()
    cards = page.get_by_test_id("experiment-view-compare-runs-card")
    for title in ("Parallel Coordinates", "log10_validation_mse", "validation_mse", "validation/mse"):
        cards.filter(has_text=title).first.wait_for()
    # Marks that are drawn for data only: lines of the parallel coordinates, points of a scatter plot, bars
    parallel = cards.filter(has_text="Parallel Coordinates").first
    parallel.locator("canvas").first.wait_for()
    assert parallel.locator("canvas").first.evaluate("it => it.width * it.height") > 10_000
    page.locator(".scatterlayer path.point").first.wait_for()
    page.locator(".barlayer .point path").first.wait_for()
    page.locator(".contourlayer path").first.wait_for()
    page.screenshot(path=tmp_path / "view.png")
    page.goto(ui[1].replace("&compareRunsMode=CHART", ""))
    page.locator(".ag-header-cell", has_text="validation_mse").first.wait_for()
    headers = {header.strip() for header in page.locator(".ag-header-cell").all_inner_texts()}
    assert {"validation_mse", "l1", "rho"} <= {header.removeprefix("log10_") for header in headers}
    ranked = sorted(finished_once.rows("summary.csv"), key=lambda row: float(row["validation_mse"]))
    links = page.locator("a[href*='/runs/']").filter(has_text=re.compile("^random_"))
    assert links.first.inner_text().strip() == ranked[0]["name"], "the best trial comes first"


@pytest.mark.browser
def test_the_page_of_a_trial_shows_curves_and_the_registry_the_champion(ui, page, finished_once, tmp_path):
    with sqlite3.connect(f"file:{finished_once.folder / 'results/mlflow.db'}?mode=ro", uri=True) as database:
        role = "SELECT run_uuid FROM tags JOIN runs USING (run_uuid) WHERE key = 'gamtune.role' AND value = 'trial'"
        [(run, *_), *_] = database.execute(role + " AND lifecycle_stage = 'active'").fetchall()
    page.goto(f"{ui[0]}/#/experiments/1/runs/{run}")
    page.get_by_text("the run of the study").first.wait_for()
    page.get_by_text("digits.csv").first.wait_for()  # its data set
    page.screenshot(path=tmp_path / "trial.png")
    page.goto(f"{ui[0]}/#/experiments/1/runs/{run}/model-metrics")
    for section in ("train", "validation"):
        page.get_by_test_id(SECTION).filter(has_text=re.compile(rf"^{section}\b")).first.wait_for()
    page.locator(".scatterlayer .js-line").first.wait_for()
    page.screenshot(path=tmp_path / "curves.png")
    page.goto(f"{ui[0]}/#/models/small")
    page.get_by_text("champion").first.wait_for()
    page.get_by_text("Version 1").first.wait_for()
    page.screenshot(path=tmp_path / "registry.png")


def request(url, body):
    """Return the status and JSON response of a POST request."""
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def test_the_served_champion_predicts_raw_samples_and_reports_invalid_ones(finished_once, tmp_path):
    with (finished_once.folder / "data/digits.csv").open(newline="") as file:
        header, *lines = list(csv.reader(file))[:4]
    names, rows = header[:-1], [[float(cell) for cell in line[:-1]] for line in lines]
    raw = tmp_path / "raw.csv"
    raw.write_text("\n".join([",".join(names), *(",".join(map(str, row)) for row in rows)]) + "\n")
    predicted = finished_once.gamtune("predict", "results/small/optimum/model.keras", str(raw)).output
    port = free_port()
    command = [MLFLOW, "models", "serve", "-m", "models:/small@champion", "--env-manager", "local"]
    environment = {
        "MLFLOW_TRACKING_URI": f"sqlite:///{finished_once.folder}/results/mlflow.db",
        "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "PATH": f"{MLFLOW.parent}:/usr/bin:/bin",
        "PYTHONPATH": "",
    }
    site, log = f"http://127.0.0.1:{port}", tmp_path / "log.txt"
    with serving([*map(str, command), "-h", "127.0.0.1", "-p", str(port)], f"{site}/ping", log, tmp_path, environment):
        url = f"{site}/invocations"
        code, answer = request(url, {"dataframe_split": {"columns": names, "data": rows}})
        assert code == 200
        expected = list(csv.DictReader(io.StringIO(predicted)))
        for found, row in zip(answer["predictions"], expected, strict=True):
            assert str(found["predicted"]) == row["predicted"]
            assert {
                name: pytest.approx(float(cell), abs=1e-6) for name, cell in row.items() if name != "predicted"
            } == {name: value for name, value in found.items() if name != "predicted"}
        whole = [dict(zip(names, map(int, row), strict=True)) for row in rows]
        assert request(url, {"dataframe_records": whole})[1] == answer, "whole numbers do for a column of numbers"
        gap = [[None, *rows[0][1:]]]
        assert request(url, {"dataframe_split": {"columns": names, "data": gap}})[0] == 200, (
            "a missing cell is filled in"
        )
        code, answer = request(url, {"dataframe_split": {"columns": names[1:], "data": [row[1:] for row in rows]}})
        assert (code, "missing inputs ['pixel_0_0']" in answer["message"]) == (400, True), answer
        code, answer = request(url, {"dataframe_split": {"columns": names, "data": [["dark", *rows[0][1:]]]}})
        assert (code, "column pixel_0_0 to type 'float64'" in answer["message"]) == (400, True), answer
        assert request(url, {"inputs": rows})[0] == 400
