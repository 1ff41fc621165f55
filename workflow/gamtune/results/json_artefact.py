"""Base class of JSON artefacts, which are typed, have a format version and are validated when they are read.

A training process does not import this module, since the import of pydantic takes 0.05 s per trial.
"""

import json
from pathlib import Path
from typing import ClassVar, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from gamtune.errors import DamagedError
from gamtune.files import other_version, read_checked, write_text


class JsonArtefact(BaseModel):
    """A JSON file among the results.

    Attributes
    ----------
    version : int
        Version of the format of the file; a file without it has version 1.
    """

    model_config = ConfigDict(frozen=True, strict=True)
    VERSION: ClassVar[int] = 1  # increased when the meaning of an attribute changes

    version: int = 1

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read the file and compare it with its checksum.

        Raises
        ------
        DamagedError
            If the file is damaged, lacks an attribute, has one of another type, or has another version.
        FileNotFoundError
            If there is no such file.
        """
        return cls.parse(read_checked(path), path)

    @classmethod
    def parse(cls, content: bytes, path: Path) -> Self:
        """Return the artefact that the content of a file describes; it raises the errors of `read`."""
        try:
            artefact = cls.model_validate_json(content)
        except ValidationError as error:
            raise DamagedError(path, _problem(error, content)) from None
        if artefact.version != cls.VERSION:
            raise DamagedError(path, other_version(artefact.version, cls.VERSION))
        return artefact

    def write(self, path: Path) -> None:
        """Write the file, with its checksum.

        Raises
        ------
        ValueError
            If a number is NaN or infinite, which JSON cannot represent.
        """
        content = {"version": self.VERSION} | self.model_dump(mode="json", exclude={"version"})
        write_text(path, json.dumps(content, indent=1, allow_nan=False, ensure_ascii=False) + "\n")


def _problem(error: ValidationError, content: bytes) -> str:
    """Return a short description of the first error in the content."""
    first = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(map(str, first["loc"]))
    if first["type"] == "json_invalid":
        return "it is not valid JSON" if content else "it is empty"
    if first["type"] == "missing":
        return f"it has no {place!r}"
    if not place:
        return (
            "it is not a JSON object" if first["type"] == "model_type" else first["msg"].removeprefix("Value error, ")
        )
    return f"{place}: {first['msg'][0].lower()}{first['msg'][1:]}"
