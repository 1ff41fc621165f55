"""The commands: name, module and help. The modules are named by texts, so that no command imports another."""

# Steps that import pandas, Matplotlib or TensorFlow: a process that has done so already runs them
HEAVY = {"summarise", "gam", "figures", "optimum-figures", "candidates", "decide", "evaluate", "report"}
STEP = " (a step of the workflow)"
COMMANDS = {
    "check": ("gamtune.cli.check", "check a config; each fault is one line, and the exit code is 2"),
    "table": ("gamtune.cli.table", "print the table of a config as CSV"),
    "metrics": (
        "gamtune.cli.metrics",
        "print H2O's metrics of a CSV file with columns actual and p_<class>, or predicted, as JSON",
    ),
    "predict": ("gamtune.cli.predict", "print what an exported model predicts for the rows of a CSV or Parquet file"),
    "gam": ("gamtune.cli.gam", "fit a GAM to a CSV file of results"),
    "sync": ("gamtune.cli.sync", "bring MLflow up to date with the records on disk; may be repeated at any time"),
    "ui": ("gamtune.cli.ui", "start MLflow's UI on this machine only and print the study's link"),
    "outcome": ("gamtune.cli.outcome", "print the best row, the confirmed optimum and where the report is"),
    "retry": ("gamtune.cli.retry", "forget the failed trainings of a study, so that the next run tries them again"),
    "prune": ("gamtune.cli.prune", "list the trainings that none of some configs wants; with --yes, remove them"),
    "fetch": ("gamtune.cli.fetch", f"bring a public data set onto this machine{STEP}"),
    "data": ("gamtune.cli.data", f"prepare the data set{STEP}"),
    "train": ("gamtune.cli.train", f"train one row, or take it from the store{STEP}"),
    "propose": ("gamtune.cli.propose", f"fill the slots of a round or rung{STEP}"),
    "summarise": ("gamtune.cli.summarise", f"join table and records{STEP}"),
    "figures": ("gamtune.cli.figures", f"draw the figures{STEP}"),
    "optimum-figures": ("gamtune.cli.optimum_figures", f"draw the optimum on the test rows{STEP}"),
    "candidates": ("gamtune.cli.candidates", f"propose candidates{STEP}"),
    "decide": ("gamtune.cli.decide", f"choose among the confirmed candidates{STEP}"),
    "evaluate": ("gamtune.cli.evaluate", f"score the optimum on the test rows{STEP}"),
    "report": ("gamtune.cli.report", f"write report.html{STEP}"),
}
