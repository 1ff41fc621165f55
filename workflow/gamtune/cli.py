"""The command line: one subcommand a step; each imports its step only when it is called."""

import argparse
import json
import os
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from gamtune.environment import describe_disk_error, use_writable_caches
from gamtune.errors import InputError
from gamtune.parent import RUN, die_with_parent

if TYPE_CHECKING:
    from gamtune.config.data_section import Data
    from gamtune.spec import Spec
    from gamtune.tracking.study import TrackedStudy

NO_FORMULA = "null"  # what the workflow says for analysis.gam: null
COLUMNS_HELP = '{"columns": [...], "log": [...]}'
NO_COLUMNS = '{"columns": [], "log": []}'
Run = Callable[[argparse.Namespace], None]
Result = TypeVar("Result")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a subcommand.

    Returns
    -------
    int
        0 when all went well, 2 when something the user wrote is at fault, 1 for what else can go wrong.
    """
    if RUN in os.environ:  # a step of the workflow
        die_with_parent(signal.SIGTERM)
    options = _parser().parse_args(arguments)
    try:
        use_writable_caches()
        options.run(options)
        sys.stdout.flush()
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    except StepError as error:
        print(f"gamtune {options.command}: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # the reader of our output left, as `gamtune table CONFIG | head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except OSError as error:
        problem = describe_disk_error(error)
        if problem is None:
            raise
        with suppress(OSError):  # the log may lie on the same full disk
            print(f"gamtune {options.command}: {problem}", file=sys.stderr)
        return 1
    return 0


class StepError(Exception):
    """A step that could not be done, in one line."""


def _check(options: argparse.Namespace) -> None:
    from gamtune.config.load import read_raw
    from gamtune.plan import Plan

    plan = Plan(read_raw(options.config), options.config)
    confirmations = len(plan.candidates) * len(plan.replicates)
    kind = plan.stages[0].partition("/")[0] if plan.stages else ""
    later = f" ({sum(plan.slots)} of them in {len(plan.stages)} {kind})" if kind else ""
    print(f"{options.config}: study {plan.name}: {len(plan.records)} trials{later}, {confirmations} confirmations")
    for hint in plan.hints:
        print(f"hint: {hint}")
    if options.data:
        from gamtune.data.column_use import aligned
        from gamtune.data.prepare import examine

        examined = examine(plan.config.data)
        rows = examined.rows
        if rows.columns:
            print(aligned(rows.columns))
        else:
            samples, inputs = rows.features.shape
            target = f"{len(rows.classes)} classes" if rows.classes else "a numeric target"
            print(f"source {plan.config.data.source}: {samples} samples, {inputs} inputs, {target}")
        for warning in examined.warnings:
            print(f"warning: {warning.message}", file=sys.stderr)


def _table(options: argparse.Namespace) -> None:
    from gamtune.config.load import read_study
    from gamtune.files import write_text
    from gamtune.space.table import table_csv

    text = _of_config(options.config, lambda: table_csv(read_study(options.config)))
    if options.out:
        write_text(options.out, text)
    else:
        sys.stdout.write(text)


def _data(options: argparse.Namespace) -> None:
    from gamtune.data.prepare import prepare, prepare_whole

    if options.whole:
        prepare_whole(_data_section(options.data), options.out)
        return
    for warning in prepare(_data_section(options.data), options.out):
        print(f"warning: {warning.message}", file=sys.stderr)


def _fetch(options: argparse.Namespace) -> None:
    from gamtune.data.downloads import fetch
    from gamtune.data.public import PUBLIC
    from gamtune.files import write_text

    data = _data_section(options.data)
    download = PUBLIC[data.source]
    for name, path in fetch(download, data.mirror).items():
        print(f"{name}: {path}")
    write_text(options.out, json.dumps({"source": data.source, "sha256": dict(download.files)}, indent=1) + "\n")


def _data_section(path: str) -> "Data":
    """The section `data` of a config file that the rules pass."""
    from gamtune.config.data_section import Data
    from gamtune.config.load import read_raw

    return Data.model_validate(read_raw(path)["data"])


def _train(options: argparse.Namespace) -> None:
    from gamtune.training.launch import LaunchError, launch

    die_with_parent(signal.SIGTERM)
    spec, reason = _asked_for(options)
    if spec is None:
        from gamtune.files import write_text
        from gamtune.training.record import MODEL

        options.record.with_name(MODEL).unlink(missing_ok=True)  # of what the slot held before
        write_text(options.record, json.dumps({"status": "skipped", "reason": reason}) + "\n")
        return
    attempts = options.attempt, options.attempts
    try:
        launch(spec, options.data, options.record, options.store, *attempts, tuple(options.leave), options.continues)
    except LaunchError as error:
        raise StepError(str(error)) from None


def _asked_for(options: argparse.Namespace) -> "tuple[Spec | None, str]":
    """The training to do, or None and the reason why the slot is empty."""
    from gamtune.spec import Spec

    if options.spec:
        return Spec.from_json(options.spec), ""
    if options.proposals:
        from gamtune.space.proposals import read_slot

        slot = read_slot(options.proposals, options.slot)
        return (slot.row.spec if slot.row else None), slot.reason
    from gamtune.decision.contenders import final_spec
    from gamtune.decision.slots import confirmation_spec, read_candidates

    if options.candidates:
        candidate = read_candidates(options.candidates)[options.candidate]
        return confirmation_spec(candidate, options.seed, options.replicate, options.fold or None), candidate.reason
    study = options.decision.parent.parent
    return final_spec(study, options.contender, options.seed, options.replicate, options.fold or None, options.whole)


def _propose(options: argparse.Namespace) -> None:
    from gamtune.config.load import read_study
    from gamtune.space.propose import propose

    propose(read_study(options.config), options.stage, options.study)


def _summarise(options: argparse.Namespace) -> None:
    from gamtune.analysis.summary import summarise
    from gamtune.config.load import read_study

    summarise(read_study(options.config), options.study)


def _figures(options: argparse.Namespace) -> None:
    from gamtune.analysis.figures import write_figures

    columns = json.loads(options.columns)
    write_figures(options.study, options.stages, columns["columns"], columns["log"], options.out)


def _optimum_figures(options: argparse.Namespace) -> None:
    from gamtune.analysis.optimum_figures import write_optimum_figures

    write_optimum_figures(options.study, options.out)


def _gam(options: argparse.Namespace) -> None:
    from gamtune.analysis.gam_step import run_gam

    columns = json.loads(options.columns)
    run_gam(
        options.results,
        None if options.formula == NO_FORMULA else options.formula,
        options.response,
        options.method,
        options.out,
        columns["columns"],
        columns["log"],
        options.skip_unfittable,
    )


def _candidates(options: argparse.Namespace) -> None:
    from gamtune.config.load import read_study
    from gamtune.decision.candidates import write_candidates

    _with_values(lambda: write_candidates(read_study(options.config), options.summary, options.out))


def _decide(options: argparse.Namespace) -> None:
    from gamtune.decision.decide import decide

    _with_values(lambda: decide(options.study, options.replicates, options.choose))


def _evaluate(options: argparse.Namespace) -> None:
    from gamtune.decision.evaluate import evaluate

    _with_values(lambda: evaluate(options.study, options.contenders, options.replicates, options.whole, options.stages))


def _report(options: argparse.Namespace) -> None:
    from gamtune.config.load import read_raw
    from gamtune.report.report import write_report

    write_report(options.study, read_raw(options.config), options.study / "report.html")


def _sync(options: argparse.Namespace) -> None:
    from dataclasses import asdict

    from gamtune.files import write_text
    from gamtune.tracking.commit import library_commit
    from gamtune.tracking.follow import follow
    from gamtune.tracking.sync import sync

    study = _tracked(options.config, library_commit())
    if options.follow:
        die_with_parent(signal.SIGTERM)
        follow(study, options.follow)
        return
    synced = _with_store(lambda: sync(study))
    print(synced)
    if options.out:
        write_text(options.out, json.dumps(asdict(synced), indent=1) + "\n")


def _ui(options: argparse.Namespace) -> None:
    from gamtune.tracking.ui import check_port, deep_link, ui_command

    study = _tracked(options.config)
    command, environment = _with_store(lambda: ui_command(study, options.port))
    check_port(options.port)
    link = _with_store(lambda: deep_link(study, options.port))
    print(f"MLflow UI of {study.name} (Ctrl-C ends it): {link}", flush=True)
    os.execvpe(command[0], command, {**os.environ, **environment})


def _tracked(config: str, commit: str | None = None) -> "TrackedStudy":
    from gamtune.config.load import read_study
    from gamtune.plan import RESULTS
    from gamtune.tracking.study import TrackedStudy

    return TrackedStudy.of(read_study(config), Path(RESULTS), commit)


def _outcome(options: argparse.Namespace) -> None:
    from gamtune.config.load import read_study
    from gamtune.decision.outcome import outcome
    from gamtune.plan import RESULTS
    from gamtune.space.planned import check_summary

    study, results = read_study(options.config), Path(RESULTS)
    with suppress(FileNotFoundError):  # which the outcome reports
        check_summary(study, results / study.study)
    _with_values(lambda: print(outcome(study, results, options.config)))


def _metrics(options: argparse.Namespace) -> None:
    from gamtune.analysis.score_file import score_file

    print(json.dumps(score_file(options.predictions), indent=1))


def _predict(options: argparse.Namespace) -> None:
    from gamtune.decision.predict import predict_file

    predictions, warnings = predict_file(options.model, options.rows, options.strict)
    for warning in warnings:
        print(f"warning: {warning}", file=sys.stderr)
    sys.stdout.write(predictions)


def _retry(options: argparse.Namespace) -> None:
    from gamtune.config.load import read_raw
    from gamtune.plan import Plan
    from gamtune.running import exclusive
    from gamtune.training.retry import forget_failures

    plan = Plan(read_raw(options.config), options.config)
    with exclusive("gamtune retry"):
        forgotten = forget_failures(Path(plan.path()), Path(plan.store))
    print(f"{forgotten} failed trainings forgotten; the next snakemake --cores N trains them again")


def _prune(options: argparse.Namespace) -> None:
    from gamtune.config.load import read_raw
    from gamtune.plan import Plan
    from gamtune.prune import prune, show_unwanted

    plans = [Plan(read_raw(config), config) for config in options.configs]
    if not options.yes:
        show_unwanted(plans)
    elif left := _with_store(partial(prune, plans)):
        raise StepError(f"{left} could not be removed, see above")


def _with_store(step: Callable[[], Result]) -> Result:
    """Run a step whose tracking store or model may be out of reach."""
    from gamtune.tracking.address import TrackingError

    try:
        return step()
    except (TrackingError, FileNotFoundError) as error:
        raise StepError(str(error)) from None


def _of_config(source: str, step: Callable[[], str]) -> str:
    """Run a step whose config errors do not name the file yet."""
    try:
        return step()
    except InputError as error:
        raise (error if error.source else error.within(source)) from None


def _with_values(step: Callable[[], object]) -> None:
    """Run a step whose ValueErrors are messages for the user."""
    try:
        step()
    except InputError:
        raise
    except ValueError as error:
        raise StepError(str(error)) from None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="gamtune", description="Tune a deep network and see why it is the best.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def add(name: str, run: Run, text: str) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=text, description=text)
        command.set_defaults(run=run)
        return command

    def add_on_config(name: str, run: Run, text: str) -> argparse.ArgumentParser:
        command = add(name, run, text)
        command.add_argument("config", metavar="CONFIG", help="the study's YAML file")
        return command

    check = add_on_config("check", _check, "check a config; each fault is one line, and the exit code is 2")
    check.add_argument(
        "--data", action="store_true", help="also read the data, and print how each column is interpreted"
    )
    table = add_on_config("table", _table, "print the table of a config as CSV")
    table.add_argument("--out", type=Path, metavar="FILE", help="write it there instead")
    metrics = add(
        "metrics",
        _metrics,
        "print H2O's metrics of a CSV file with columns actual and p_<class>, or predicted, as JSON",
    )
    metrics.add_argument("predictions", type=Path, metavar="PREDICTIONS.csv")
    predict = add("predict", _predict, "print what an exported model predicts for the rows of a CSV or Parquet file")
    predict.add_argument("model", type=Path, metavar="MODEL.keras", help="with its preprocessing.json beside it")
    predict.add_argument("rows", type=Path, metavar="ROWS.csv", help="raw rows, with the columns of the training")
    predict.add_argument("--strict", action="store_true", help="refuse levels that the model was not trained with")
    gam = add("gam", _gam, "fit a GAM to a CSV file of results")
    gam.add_argument("results", type=Path, metavar="RESULTS.csv")
    gam.add_argument("--formula", required=True, help="as in mgcv: s(log(l1), k=4) + te(depth, width, k=4)")
    gam.add_argument("--response", default="mse", help="a column, or log(column)")
    gam.add_argument("--method", choices=("REML", "GCV"), default="REML")
    gam.add_argument("--columns", default=NO_COLUMNS, metavar="JSON", help="to rank without the model: " + COLUMNS_HELP)
    gam.add_argument("--out", type=Path, required=True, metavar="DIR")
    gam.add_argument(
        "--skip-unfittable",
        action="store_true",
        help="if the rows cannot carry the model, write the reason to skipped.txt and end with exit code 0",
    )
    sync = add_on_config("sync", _sync, "bring MLflow up to date with the records on disk; may be repeated at any time")
    sync.add_argument("--follow", type=int, metavar="PID", help="go on until this process has ended")
    sync.add_argument("--out", type=Path, metavar="FILE", help="write what it came to there")
    ui = add_on_config("ui", _ui, "start MLflow's UI on this machine only and print the study's link")
    ui.add_argument("--port", type=int, default=5000)
    add_on_config("outcome", _outcome, "print the best row, the confirmed optimum and where the report is")
    add_on_config("retry", _retry, "forget the failed trainings of a study, so that the next run tries them again")
    prune = add("prune", _prune, "list the trainings that none of some configs wants; with --yes, remove them")
    prune.add_argument("configs", nargs="+", metavar="CONFIG", help="the studies that stay")
    prune.add_argument("--yes", action="store_true", help="remove what is listed, for good")
    _add_steps(add, add_on_config)
    return parser


def _add_steps(
    add: Callable[[str, Run, str], argparse.ArgumentParser],
    add_on_config: Callable[[str, Run, str], argparse.ArgumentParser],
) -> None:
    """The steps that the workflow's rules call."""
    study: dict[str, Any] = {"type": Path, "required": True, "metavar": "DIR", "help": "the study's folder of results"}
    section: dict[str, Any] = {"required": True, "metavar": "FILE", "help": "config file; its section data is read"}
    fetch = add("fetch", _fetch, "bring a public data set onto this machine (a step of the workflow)")
    fetch.add_argument("--data", **section)
    fetch.add_argument("--out", type=Path, required=True, metavar="FILE")
    data = add("data", _data, "prepare the data set (a step of the workflow)")
    data.add_argument("--data", **section)
    data.add_argument("--out", type=Path, required=True, metavar="DIR")
    data.add_argument("--whole", action="store_true", help="one training set of all rows but the test's")

    train = add("train", _train, "train one row, or take it from the store (a step of the workflow)")
    what = train.add_mutually_exclusive_group(required=True)
    what.add_argument("--spec", metavar="JSON", help="the training")
    what.add_argument("--candidates", type=Path, metavar="FILE", help="candidates.csv; needs --candidate, --replicate")
    what.add_argument("--proposals", type=Path, metavar="FILE", help="proposals.csv of a round or rung; needs --slot")
    what.add_argument("--decision", type=Path, metavar="FILE", help="decision.json; needs --contender")
    train.add_argument("--contender", metavar="NAME", help="optimum, or a candidate it is compared with")
    train.add_argument("--whole", action="store_true", help="the contender on all rows but the test's")
    train.add_argument("--slot", type=int, metavar="NUMBER")
    train.add_argument("--candidate", metavar="NAME")
    train.add_argument("--replicate", type=int, default=1)
    train.add_argument("--seed", type=int, default=1, help="training.seed of the config")
    train.add_argument("--fold", type=int, default=0, metavar="NUMBER", help="of the candidate or contender; 0: none")
    train.add_argument("--data", type=Path, required=True, metavar="FILE", help="digest.json of the data")
    train.add_argument("--record", type=Path, required=True, metavar="FILE", help="the record to write")
    train.add_argument("--store", type=Path, required=True, metavar="DIR", help="all finished trainings")
    train.add_argument(
        "--leave",
        nargs="*",
        default=["model.keras"],
        metavar="FILE",
        help="what to leave beside the record",
    )
    train.add_argument("--continues", type=int, default=0, metavar="EPOCHS", help="go on from there, if it is stored")
    train.add_argument("--attempt", type=int, default=1)
    train.add_argument("--attempts", type=int, default=1)

    propose = add_on_config("propose", _propose, "fill the slots of a round or rung (a step of the workflow)")
    propose.add_argument("--study", **study)
    propose.add_argument("--stage", type=int, required=True, metavar="NUMBER")

    stages: dict[str, Any] = {"nargs": "*", "default": [], "metavar": "FOLDER", "help": "rounds or rungs of the study"}
    summarise = add_on_config("summarise", _summarise, "join table and records (a step of the workflow)")
    summarise.add_argument("--study", **study)

    figures = add("figures", _figures, "draw the figures (a step of the workflow)")
    figures.add_argument("--study", **study)
    figures.add_argument("--stages", **stages)
    figures.add_argument("--columns", required=True, metavar="JSON", help=COLUMNS_HELP)
    figures.add_argument("--out", type=Path, required=True, metavar="DIR")

    optimum = add("optimum-figures", _optimum_figures, "draw the optimum on the test rows (a step of the workflow)")
    optimum.add_argument("--study", **study)
    optimum.add_argument("--out", type=Path, required=True, metavar="DIR")

    candidates = add_on_config("candidates", _candidates, "propose candidates (a step of the workflow)")
    candidates.add_argument("--summary", type=Path, required=True, metavar="FILE")
    candidates.add_argument("--out", type=Path, required=True, metavar="FILE")

    decide = add("decide", _decide, "choose among the confirmed candidates (a step of the workflow)")
    decide.add_argument("--study", **study)
    decide.add_argument("--replicates", type=int, required=True)
    decide.add_argument("--choose", choices=("lowest_mean", "one_standard_error"), default="lowest_mean")

    evaluate = add("evaluate", _evaluate, "score the optimum on the test rows (a step of the workflow)")
    evaluate.add_argument("--study", **study)
    evaluate.add_argument("--contenders", nargs="+", required=True, metavar="NAME", help="the optimum first")
    evaluate.add_argument("--replicates", type=int, required=True, help="final trainings")
    evaluate.add_argument("--whole", action="store_true", help="they learned from all rows but the test's")
    evaluate.add_argument("--stages", **stages)

    report = add_on_config("report", _report, "write report.html (a step of the workflow)")
    report.add_argument("--study", **study)
