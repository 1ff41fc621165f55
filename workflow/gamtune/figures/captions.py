"""A folder of figures with their captions in one file, marked where their rows were chosen by the test set."""

from collections.abc import Callable, Mapping
from pathlib import Path

from gamtune.figures.theme import stamped
from gamtune.files import write_checksum
from gamtune.results.captions import Captions
from gamtune.results.layout import FigureFolder


def draw_with_captions(draw: Callable[[Path], Mapping[str, str]], note: str | None, folder: Path) -> None:
    """Draw figures into ``folder`` and write ``captions.json``.

    Parameters
    ----------
    draw : callable
        Draws into a folder and gives the caption of each figure by its file name without suffix.
    note : str, optional
        What every figure and caption has to say besides.
    """
    files = FigureFolder(folder)
    with stamped(note):
        captions = draw(folder)
    for stem in captions:
        write_checksum(files.picture(stem))
    noted = {stem: f"{caption} {note}" if note else caption for stem, caption in captions.items()}
    Captions(captions=noted).write(files.captions)
