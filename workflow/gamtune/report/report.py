"""The step `report`: the results of a study on one HTML page, which can be opened offline."""

import base64
import json
import re
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from gamtune.analysis.columns import RESPONSE
from gamtune.analysis.comparable import averaged, last_rung
from gamtune.errors import DamagedError
from gamtune.figures.registry import Section
from gamtune.files import check_folder, checksum_of, matches_checksum, write_text
from gamtune.numbers import compact, duration, measured, p_value, percent, signed
from gamtune.report.findings import (
    describe_optimism,
    describe_reliability,
    describe_search_results,
    describe_test_scores,
    interval_strips,
    joined,
    most_frequent_confusion,
    p_in_words,
)
from gamtune.report.space_words import describe_search, describe_space
from gamtune.results.artefacts import read_lines
from gamtune.results.captions import Captions
from gamtune.results.comparison import Comparison
from gamtune.results.csv_rows import Candidate, ColumnUse, FinalistTest, GamModel, GamTerm, Importance, Support
from gamtune.results.data_warnings import DataWarnings
from gamtune.results.dataset import DatasetInfo
from gamtune.results.layout import FigureFolder, GamFolder, OptimumFolder, StudyFolder
from gamtune.results.records import Record
from gamtune.results.selection import Selection
from gamtune.results.trial_table import OK, SECONDS, STATUS, TrialTable, read_summary

BEST_CONFIGURATIONS = 10
SCALE = 0.8  # width of a figure on the page, as a share of its width in pixels
MEASURES = {"deviance_share": "deviance share", "permutation": "permutation", "ped_anova": "PED-ANOVA"}
Page = dict[str, Any]


def write_report(study_folder: Path, config: dict[str, Any], path: Path) -> None:
    """Write the report as one HTML file without external files.

    Parameters
    ----------
    study_folder : Path
        The study's folder of results, with the scores of the optimum and the figures.
    config : dict
        The sections `gamtune.plan.REPORTED` of the config.
    path : Path
        The file to write.
    """
    study = StudyFolder(study_folder)
    for folder in (study.gam, study.figures, study.optimum.figures):
        check_folder(folder.path)
    page = {
        "config": config,
        "config_text": json.dumps(config, indent=2, ensure_ascii=False),
        "space": describe_space(config.get("space", {})),
        "search": describe_search(config["search"]),
        "dataset": DatasetInfo.read(study.data.info),
        "data_warnings": DataWarnings.read(study.data.warnings).warnings,
        "columns": ColumnUse.read(study.data.columns),
        **_search(
            read_summary(study.summary),
            TrialTable.read(study.table).hyperparameters,
        ),
        **_figures(study.figures, study.optimum.figures),
        **_model(study.gam),
        **_selection(study),
    }
    best, terms = page["top"][0], page.get("terms", [])
    part = page["selection"].selected_on
    page["findings"] = describe_search_results(best, page["median"], terms, page["model"], part)
    write_text(path, _environment().get_template("page.html.j2").render(page))


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for text_of in (compact, measured, signed, p_value, p_in_words, duration, joined, unbroken):
        environment.filters[text_of.__name__] = text_of
    environment.filters["percent"] = lambda share: unbroken(percent(share))
    return environment


def unbroken(text: str) -> str:
    """Return a text in which no line is broken between a number and its per cent sign."""
    return re.sub(r"(?<=\d) %", "\N{NO-BREAK SPACE}%", text)


def _search(summary: pd.DataFrame, hyperparameters: list[str]) -> Page:
    """Return the number of trials, the best configurations, the failed trials and the training times."""
    rows = averaged(summary)
    finished = rows[rows[STATUS] == OK]
    best = last_rung(finished).sort_values(RESPONSE).head(BEST_CONFIGURATIONS)
    return {
        "hyperparameters": hyperparameters,
        "tried": {name: _tried(summary[name]) for name in hyperparameters},
        "trials": len(summary),
        "median": float(finished[RESPONSE].median()),
        "top": _records(best),
        "failed": _records(summary[summary[STATUS] != OK]),
        "seconds": float(summary[SECONDS].sum()),
        "median_seconds": float(summary[SECONDS].median()),
    }


def _tried(values: pd.Series) -> str:
    """Return the smallest and largest value over all trials and layers; for text, how often each value was tried."""
    words = values.dropna().astype(str).str.split().explode()
    numbers = pd.to_numeric(words, errors="coerce")
    if numbers.isna().any():
        return ", ".join(f"{word} {count} times" for word, count in words.value_counts().items())
    return " to ".join(dict.fromkeys((compact(float(numbers.min())), compact(float(numbers.max())))))


def _records(rows: pd.DataFrame) -> list[dict[str, Any]]:
    return [
        {str(name): None if pd.isna(value) else value for name, value in row.items()}
        for row in rows.to_dict(orient="records")
    ]


def _figures(*folders: FigureFolder) -> Page:
    """Return the figures of each section of the page, and those of other sections, as data inside the page."""
    sections: dict[str, list[Page]] = {section: [] for section in Section}
    for folder in folders:
        captions = Captions.read(folder.captions)
        for stem, caption in captions.captions.items():
            picture = _embedded(folder.picture(stem).read_bytes(), caption)
            sections.setdefault(captions.sections.get(stem, Section.OTHER), []).append(picture)
    others = {name: pictures for name, pictures in sections.items() if name not in list(Section)}
    return {"figures": sections, "other_figures": others}


def _embedded(png: bytes, caption: str) -> dict[str, Any]:
    """Return a picture as data; all pictures have the same scale, so that their letters have the same size."""
    pixels = int.from_bytes(png[16:20], "big")  # the header's width, by the PNG specification
    source = "data:image/png;base64," + base64.b64encode(png).decode()
    return {"source": source, "width": round(SCALE * pixels), "caption": caption}


def _model(folder: GamFolder) -> Page:
    """Return the additive model, or the reason why there is none, and the importance of the hyperparameters."""
    importance = Importance.read(folder.importance) if folder.importance.exists() else []
    page: Page = {"importance": importance, "measures": MEASURES}
    if not folder.terms.exists():
        return page | {"model": None, "skipped": folder.skipped.read_text(encoding="utf-8").strip()}
    return page | {
        "model": GamModel.read(folder.model)[0],
        "warnings": _lines(folder.warnings),
        "terms": GamTerm.read(folder.terms),
        "summary_text": folder.summary.read_text(encoding="utf-8"),
    }


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


def _selection(study: StudyFolder) -> Page:
    """Return the candidates, the selection and the scores of the optimum."""
    selection = Selection.read(study.selection)
    comparison = Comparison.read(study.optimum.comparison)
    test = comparison.test
    samples = DatasetInfo.read(study.data.info).rows["test"]
    tests = FinalistTest.read(study.optimum.tests)
    support: dict[str, list[Support]] = {}
    for row in Support.read(study.support):
        support.setdefault(row.candidate, []).append(row)
    warnings = [row.warning for row in support.get(selection.optimum, ()) if row.warning]
    strips, zero = interval_strips(selection.candidates)
    return {
        **_confusion(study.optimum),
        "selection": selection,
        "optimum": selection.selected,
        "reliability": describe_reliability(selection, warnings, regression="accuracy" not in test),
        "scores": describe_test_scores(selection, test, samples, comparison.over_seeds, tests),
        "support": support,
        "distances": Candidate.by_name(study.candidates),
        "impossible": any(entry.predicted is not None and entry.predicted < 0 for entry in selection.candidates),
        "optimism": describe_optimism(selection.optimism, selection.selected_on),
        "strips": strips,
        "zero": zero,
        "record": Record.read(study.optimum.record),
        "comparison": comparison.scores,
        "test": test,
    }


def _confusion(optimum: OptimumFolder) -> Page:
    """Return the confusion matrix; None for a regression."""
    path = optimum.confusion
    if checksum_of(path).exists() and not matches_checksum(path):
        remedy = f"delete {optimum.comparison} and run again"  # the rule that makes this file makes both
        raise DamagedError(path, "it is missing or does not match its checksum", remedy)
    if not path.exists():
        return {"confusion": None}
    header, *counts = read_lines(path)
    return {
        "confusion_header": header,
        "confusion": counts,
        "confusion_words": most_frequent_confusion(header, counts),
    }
