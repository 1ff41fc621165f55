"""Run the studies in this folder and store the files that `tests/stored.py` requires (about two minutes).

PYTHONPATH=workflow:tests .venv/bin/python tests/golden/study/make_studies.py
"""

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from project import ROOT, write_mixed
from stored import GOLDEN, KEPT, STUDIES

MACHINE = {"platform": "Linux", "processor": "x86_64", "cores": 2, "memory_gb": 16.0}


def store(name: str) -> None:
    """Run a study in a temporary folder and keep its records, predictions and scores."""
    with tempfile.TemporaryDirectory() as base:
        folder = Path(base)
        (folder / "data").mkdir()
        write_mixed(folder)
        shutil.copy(GOLDEN / f"{name}.yaml", folder / "study.yaml")
        snakemake = [Path(sys.executable).parent / "snakemake", "--cores", "2", "--configfile", "study.yaml"]
        subprocess.run([*snakemake, "--snakefile", ROOT / "Snakefile"], cwd=folder, check=True)
        results = folder / "results" / name
        shutil.rmtree(GOLDEN / name, ignore_errors=True)
        for path in (path for pattern in KEPT for path in sorted(results.glob(pattern))):
            kept = GOLDEN / name / path.relative_to(results)
            kept.parent.mkdir(parents=True, exist_ok=True)
            if path.name == "record.json":
                record = json.loads(path.read_text())
                kept.write_text(json.dumps(record | ({"system": MACHINE} if "system" in record else {})) + "\n")
            else:
                shutil.copy(path, kept)


if __name__ == "__main__":
    for study in sys.argv[1:] or STUDIES:
        store(study)
