"""An MLflow server of a team on the local machine, with PostgreSQL, artifacts on S3, and accounts."""

import glob
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest
from servers import free_port, serving, status, stop
from tracked import Study

pytestmark = [pytest.mark.workflow, pytest.mark.team]
MLFLOW = Path(sys.executable).with_name("mlflow")
POSTGRES = Path((glob.glob("/usr/lib/postgresql/*/bin") or ["/nowhere"])[-1])
PASSWORD = "a long test word 7"
LOGIN = {"MLFLOW_TRACKING_USERNAME": "admin", "MLFLOW_TRACKING_PASSWORD": PASSWORD}


def as_postgres(*command):
    """Return a command that runs as another user, since PostgreSQL refuses to run as root."""
    return ["runuser", "-u", "postgres", "--", *map(str, command)] if os.geteuid() == 0 else list(map(str, command))


@pytest.fixture(scope="module")
def postgres(tmp_path_factory):
    """Return the address of an empty PostgreSQL database."""
    if not (POSTGRES / "initdb").exists():
        pytest.skip("needs PostgreSQL: apt-get install postgresql")
    folder = (
        Path("/tmp") / f"gamtune-postgres-{os.getpid()}"
    )  # the path of a socket must be short, and the user postgres needs access
    folder.mkdir()
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
    port = free_port()
    data = folder / "data"

    def call(*command):
        subprocess.run(as_postgres(*command), check=True, capture_output=True, cwd="/")

    try:
        call(POSTGRES / "initdb", "-D", data, "-A", "trust", "-U", "mlflow")
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c fsync=off"
        # -l: without a log file, the server would keep the pipe of this process open
        call(POSTGRES / "pg_ctl", "-D", data, "-o", options, "-l", folder / "log", "-w", "start")
        yield f"postgresql://mlflow@127.0.0.1:{port}/postgres"
        call(POSTGRES / "pg_ctl", "-D", data, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder)


@pytest.fixture(scope="module")
def bucket():
    """Return the environment for a simulated S3 with an empty bucket, and a function that lists the bucket."""
    import boto3
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    environment = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}
    s3 = boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    s3.create_bucket(Bucket="team")
    yield (
        environment | {"MLFLOW_S3_ENDPOINT_URL": endpoint},
        lambda: [entry["Key"] for entry in s3.list_objects_v2(Bucket="team").get("Contents", [])],
    )
    server.stop()


class Team:
    """Return the server, which can be restarted at the same address."""

    def __init__(self, folder, postgres, environment):
        self.folder, self.port = folder, free_port()
        self.uri = f"http://127.0.0.1:{self.port}"
        accounts = folder / "auth.ini"
        accounts.write_text(
            "[mlflow]\ndefault_permission = READ\nadmin_username = admin\n"
            f"database_uri = sqlite:///{folder}/accounts.db\n"
            "authorization_function = mlflow.server.auth:authenticate_request_basic_auth\n"
        )
        self.environment = environment | {
            "MLFLOW_BACKEND_STORE_URI": postgres,
            "MLFLOW_AUTH_CONFIG_PATH": str(accounts),
            "MLFLOW_AUTH_ADMIN_PASSWORD": PASSWORD,
            "MLFLOW_FLASK_SERVER_SECRET_KEY": "only for this test",
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
            "MLFLOW_DISABLE_TELEMETRY": "true",
        }

    def serve(self):
        """Run the server until the block ends."""
        command = [MLFLOW, "server", "--host", "127.0.0.1", "--port", self.port, "--workers", "1"]
        command += ["--app-name", "basic-auth", "--artifacts-destination", "s3://team/artifacts"]
        command += ["--allowed-hosts", f"127.0.0.1:{self.port}"]
        return serving(
            list(map(str, command)), f"{self.uri}/health", self.folder / "log.txt", self.folder, self.environment
        )


@pytest.fixture(scope="module")
def team(tmp_path_factory, postgres, bucket):
    return Team(tmp_path_factory.mktemp("team"), postgres, bucket[0])


@pytest.fixture
def logged_in(monkeypatch):
    for name, value in LOGIN.items():
        monkeypatch.setenv(name, value)


def runs_of(study):
    """Return the active runs by key, after checking that none is duplicated or still running."""
    from gamtune.tracking.store import open_store

    with open_store(study) as store:
        runs = store.client.search_runs([store.experiment_id], max_results=1000)
        keys = Counter(run.data.tags["gamtune.key"] for run in runs)
        assert {key: count for key, count in keys.items() if count > 1} == {}
        assert "RUNNING" not in {run.info.status for run in runs}
        return {run.data.tags["gamtune.key"]: run for run in runs}


def test_a_study_is_tracked_equally_by_a_server_and_a_file(finished, team, bucket, logged_in):
    finished.configure(tracking={"uri": team.uri})
    with team.serve():
        assert status(f"{team.uri}/api/2.0/mlflow/experiments/get?experiment_id=0") == 401
        done = finished.snakemake()
        assert done.code == 0, done.output
        assert set(done.jobs) <= {"sync", "report", "all"}
        synced = finished.json("tracking/synced.json")
        assert synced["champion"]["version"] == "1"
        tracked = sum(synced["counts"][kind] for kind in ("added", "resumed", "unchanged"))  # a follower may have begun
        again = finished.gamtune("sync", finished.config)
        assert re.match(rf"0 added, 0 resumed, {tracked} unchanged, 0 retired\n", again.output)
        from gamtune.config.load import read_study
        from gamtune.tracking.study import TrackedStudy
        from gamtune.tracking.ui import deep_link

        config = read_study(str(finished.folder / finished.config))
        study = TrackedStudy.of(config, finished.folder / "results")
        runs = runs_of(study)
        assert len(runs) == tracked
        trial = finished.rows("table.csv")[0]["trial"]
        assert runs[f"trial/{trial}"].data.metrics["validation_mse"] > 0
        assert deep_link(study, 5000).endswith("viewStateShareKey=gamtune")
        kept = bucket[1]()
        run = runs[f"trial/{trial}"].info.run_id
        assert any(name.endswith(f"{run}/artifacts/record.json") for name in kept)
        assert any(name.endswith("/model.keras") for name in kept)
        without = {name: value for name, value in os.environ.items() if name not in LOGIN}
        refused = subprocess.run(
            [str(MLFLOW.with_name("gamtune")), "sync", finished.config],
            cwd=finished.folder, env=without, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert refused.returncode == 1
        assert refused.stderr.startswith(f"gamtune sync: {team.uri}: "), refused.stderr
        assert refused.stderr.count("\n") == 1
        assert "MLFLOW_TRACKING_USERNAME" in refused.stderr
    written = [path for path in finished.folder.rglob("*") if path.is_file() and path.stat().st_size < 10_000_000]
    assert [path for path in written if PASSWORD.encode() in path.read_bytes()] == []


def test_a_restarting_server_loses_and_duplicates_no_run(team, tmp_path, logged_in):
    from gamtune.tracking.study import TrackedStudy
    from gamtune.tracking.sync import sync

    study = Study(tmp_path)
    study.write_trials(20)
    tracked = TrackedStudy("restarted", team.uri, study.results)
    study.folder.rename(tracked.folder)
    outcome = []
    worker = threading.Thread(target=lambda: outcome.append(sync(tracked)))
    with team.serve() as server:
        worker.start()
        from gamtune.tracking.store import find_experiment

        deadline = time.monotonic() + 60
        while find_experiment(tracked) is None:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        time.sleep(1)
        stop(server, signal.SIGKILL)
        assert worker.is_alive(), "the sync was over before the server went"
    time.sleep(2)
    with team.serve():
        worker.join(120)
        assert not worker.is_alive()
        assert outcome, "the sync gave up"
        runs = runs_of(tracked)
        assert len(runs) == 20 + 1
        for trial in study.trials:
            assert runs[f"trial/{trial}"].data.metrics["train_mse"] == 0.1
        again = sync(tracked).counts
        assert (again.added, again.resumed, again.unchanged) == (0, 0, 21)
