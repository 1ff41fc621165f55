"""gamtune: tune a deep network, see why it is the best, and rerun only what changed."""

import gc
import os
import sys
from pathlib import Path

from snakemake.utils import min_version

min_version("9.20")
gc.set_threshold(100_000, 50)  # the collector would walk the growing graph of jobs over and over

LIBRARY = os.path.join(workflow.basedir, "workflow")
sys.path.insert(0, LIBRARY)
# conda would drop an inherited PYTHONPATH; with exec, a job is a child of Snakemake and not of a shell
shell.prefix("set -euo pipefail; export PYTHONPATH={LIBRARY:q}${{PYTHONPATH:+:$PYTHONPATH}}; exec ")

from gamtune.runtime.interrupt import end_jobs_on_interrupt, interrupt_quietly

interrupt_quietly()  # before anything else is imported

from gamtune.cli.gam import NO_FORMULA
from gamtune.errors import InputError
from gamtune.config.load import read_for_workflow
from gamtune.runtime.environment import own_python_first, use_writable_caches
from gamtune.runtime.parent import RUN, this_process
from gamtune.plan import Plan, code_of, template_of
from gamtune.runtime.run_lock import run_alone
from gamtune.tracking.start import start_follower
from gamtune.runtime.gpu import offer_gpus
from gamtune.runtime.training_code import training_code
from gamtune.results.layout import SET_FILES
from gamtune.results.store import remove_leftovers
from gamtune.runtime.warm import start_trainer

own_python_first()
os.environ[RUN] = this_process()  # the jobs end with it
use_writable_caches()
try:
    # A configfile: directive would merge the default study into every other
    content, CONFIG = read_for_workflow(
        workflow.configfiles, Path(workflow.basedir, "config", "config.yaml"), workflow.config_settings.config
    )
    STUDY = Plan(content, CONFIG)
    config.clear()
    config.update(content)
except InputError as error:
    print(error, file=sys.stderr)
    raise SystemExit(2) from None
if workflow.is_main_process:  # and not a job that reads this file again
    run_alone(workflow, STUDY.name, Path(STUDY.path()))
    end_jobs_on_interrupt(workflow, shell)


wildcard_constraints:
    trial="[0-9a-f]{12}",
    replicate=r"\d+",
    stage=r"(rounds|rungs)/\d+",
    slot=r"\d+",


localrules:
    all,
    fetch,
    table,
    sync,


report: "workflow/report/workflow.rst"


include: "workflow/rules/table.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/analyse.smk"
include: "workflow/rules/decide.smk"
include: "workflow/rules/track.smk"
include: "workflow/rules/report.smk"


rule all:
    default_target: True
    input:
        STUDY.files,  # a deleted one is made again
        STUDY.path("tracking/synced.json"),
    message:
        "the study is complete"


onstart:
    remove_leftovers(Path(STUDY.store))
    STUDY.write_step_configs()
    start_follower(
        LIBRARY,
        STUDY.step_config("study", "data", "search", "space", "tracking"),
        Path(STUDY.path("logs/follow.txt")),
    )
    if workflow.local_exec:
        offer_gpus(STUDY.config.execution.trainings_per_gpu)
        if STUDY.config.execution.warm_trainer:
            start_trainer(
                Path(STUDY.path("logs/trainer.txt")), expected=not all(map(os.path.exists, STUDY.records))
            )


onsuccess:
    remove_leftovers(Path(STUDY.store))  # of jobs that were killed and tried again
    print(f"Report: {STUDY.path('report.html')}; in short: gamtune outcome {CONFIG}")


onerror:
    remove_leftovers(Path(STUDY.store))
    print(f"Not finished; the same command continues. Results so far: gamtune outcome {CONFIG}")
