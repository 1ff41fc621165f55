"""The captions of a folder of figures."""

from gamtune.results.json_artefact import JsonArtefact


class Captions(JsonArtefact):
    """The captions of a folder of figures.

    Attributes
    ----------
    captions : dict of str to str
        Caption of each figure by the name of its file without the suffix, in the order of the report.
    """

    captions: dict[str, str]
