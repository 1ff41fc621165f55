"""Base class of all sections of the config."""

from typing import Any, get_args

from pydantic import BaseModel, ConfigDict, ValidationInfo, field_validator

from gamtune.errors import InvalidValue

LARGEST_SEED = 2**32 - 1  # seeds of NumPy and scikit-learn have 32 bits


class Section(BaseModel):
    """A section of the config; unknown keys and non-finite numbers are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _refuse_booleans(cls, value: Any, info: ValidationInfo) -> Any:
        """Refuse booleans for numeric keys, because Python treats True as the number 1."""
        kinds = _kinds(cls.model_fields[info.field_name or ""].annotation)
        if not kinds & {bool, Any} and any(
            isinstance(item, bool) for item in (value if isinstance(value, list | tuple) else [value])
        ):
            raise InvalidValue("expected a value that is not true or false")
        return value


def _kinds(annotation: Any) -> set[Any]:
    """Return an annotation and, recursively, its arguments."""
    return {annotation}.union(*map(_kinds, get_args(annotation)))
