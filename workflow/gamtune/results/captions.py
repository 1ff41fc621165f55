"""The captions of a folder of figures, and the sections of the report that show them."""

from gamtune.results.json_artefact import JsonArtefact


class Captions(JsonArtefact):
    """The captions of a folder of figures.

    Attributes
    ----------
    captions : dict of str to str
        Caption of each figure by the name of its file without the suffix, in the order of the report.
    sections : dict of str to str
        Section of the report that shows each figure.
    """

    captions: dict[str, str]
    sections: dict[str, str]
