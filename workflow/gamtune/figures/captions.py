"""Draw all figures of a registry into a folder, with their captions and sections of the report."""

from pathlib import Path

import matplotlib as mpl

from gamtune.figures.figure import DrawFigures, ReportFigure, Results
from gamtune.figures.theme import STYLE, save, stamped
from gamtune.files import write_checksum
from gamtune.registry import Registry
from gamtune.results.captions import Captions
from gamtune.results.layout import FigureFolder


def draw_all(registry: Registry, study: Results, note: str | None, folder: Path) -> None:
    """Draw every figure of a registry as .png and .svg, and write ``captions.json``.

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
    files = FigureFolder(folder)
    with stamped(note), mpl.rc_context(STYLE):
        for name in registry.names():
            draw: DrawFigures[Results] = registry.load(name)
            for figure in draw(study):
                if figure.stem in figures:
                    raise ValueError(f"figure {name!r} draws {figure.stem!r}, but another figure has this file name")
                figures[figure.stem] = figure
                save(figure.plot, folder / figure.stem, figure.finish)
                write_checksum(files.picture(figure.stem))
    notes = f" {note}" if note else ""
    captions = {stem: figure.caption + notes for stem, figure in figures.items()}
    sections = {stem: str(figure.section) for stem, figure in figures.items()}
    Captions(captions=captions, sections=sections).write(files.captions)
