"""Draw all figures of a registry into a folder, with their captions and sections of the report."""

import json
from collections.abc import Mapping
from pathlib import Path

import matplotlib as mpl

from gamtune.figures.figure import DrawFigures, ReportFigure, Results
from gamtune.figures.registry import CAPTIONS, SECTIONS
from gamtune.figures.theme import STYLE, save, stamped
from gamtune.files import write_checksum, write_text
from gamtune.registry import Registry


def draw_all(registry: Registry, study: Results, note: str | None, folder: Path) -> None:
    """Draw every figure of a registry as .png and .svg, and write ``captions.json`` and ``sections.json``.

    Parameters
    ----------
    registry : Registry
        Its implementations are functions that implement `DrawFigures`.
    study : SearchResults or OptimumResults
        The results to draw.
    note : str, optional
        Sentence that is added to every figure and caption.
    folder : Path
        Where the files are written.

    Raises
    ------
    ValueError
        If two figures have the same file name.
    """
    figures: dict[str, ReportFigure] = {}
    with stamped(note), mpl.rc_context(STYLE):
        for name in registry.names():
            draw: DrawFigures[Results] = registry.load(name)
            for figure in draw(study):
                if figure.stem in figures:
                    raise ValueError(f"figure {name!r} draws {figure.stem!r}, but another figure has this file name")
                figures[figure.stem] = figure
                save(figure.plot, folder / figure.stem, figure.finish)
                write_checksum(folder / f"{figure.stem}.png")
    notes = f" {note}" if note else ""
    _write(folder / CAPTIONS, {stem: figure.caption + notes for stem, figure in figures.items()})
    _write(folder / SECTIONS, {stem: str(figure.section) for stem, figure in figures.items()})


def _write(path: Path, texts: Mapping[str, str]) -> None:
    write_text(path, json.dumps(texts, indent=1, ensure_ascii=False) + "\n")
