"""The commands by name, with module and help. Modules are given as text, so that no command imports another."""

# Commands that import pandas, Matplotlib or TensorFlow; the server of workers runs them in a child process
HEAVY = {"summarise", "gam", "figures", "optimum-figures", "candidates", "select", "evaluate", "report"}
STEP = " (a step of the workflow)"
COMMANDS = {
    "check": ("gamtune.cli.check", "check a config; print one line per error and exit with code 2 if there are any"),
    "table": ("gamtune.cli.table", "print the parameter table of a config as CSV"),
    "metrics": (
        "gamtune.cli.metrics",
        "print H2O's metrics as JSON for a CSV file with the columns actual and p_<class>, or actual and predicted",
    ),
    "predict": (
        "gamtune.cli.predict",
        "print the predictions of an exported model for the samples of a CSV or Parquet file",
    ),
    "gam": ("gamtune.cli.gam", "fit a generalised additive model (GAM) to a CSV file of results"),
    "sync": ("gamtune.cli.sync", "update MLflow from the records on disk; safe to repeat at any time"),
    "ui": ("gamtune.cli.ui", "start the MLflow UI on this machine only and print the link to the study"),
    "show": ("gamtune.cli.show", "print a summary of the results"),
    "reset-failed": (
        "gamtune.cli.reset_failed",
        "remove the failed trials of a study, so that the next run trains them again",
    ),
    "prune": ("gamtune.cli.prune", "list the trials that none of the given configs needs; remove them with --yes"),
    "fetch": ("gamtune.cli.fetch", f"download a public data set{STEP}"),
    "data": ("gamtune.cli.data", f"prepare the data{STEP}"),
    "train": ("gamtune.cli.train", f"train one trial, or copy it from the store{STEP}"),
    "propose": ("gamtune.cli.propose", f"fill the slots of a round or rung{STEP}"),
    "summarise": ("gamtune.cli.summarise", f"join the parameter table with the records of its trials{STEP}"),
    "figures": ("gamtune.cli.figures", f"draw the figures of the search{STEP}"),
    "optimum-figures": ("gamtune.cli.optimum_figures", f"draw the figures of the optimum{STEP}"),
    "candidates": ("gamtune.cli.candidates", f"propose candidates for the optimum{STEP}"),
    "select": ("gamtune.cli.select", f"select the optimum among the confirmed candidates{STEP}"),
    "evaluate": ("gamtune.cli.evaluate", f"score the finalists on the test set{STEP}"),
    "report": ("gamtune.cli.report", f"write the report{STEP}"),
}
