"""What all parts of the config have in common."""

from typing import Any, get_args

from pydantic import BaseModel, ConfigDict, ValidationInfo, field_validator

LARGEST_SEED = 2**32 - 1  # NumPy's and scikit-learn's random states have 32 bits


class Section(BaseModel):
    """A part of the config: unknown keys are errors, and so are numbers that are not finite."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _refuse_truth_values(cls, value: Any, info: ValidationInfo) -> Any:
        """Python counts True as the number 1; a config does not."""
        kinds = _kinds(cls.model_fields[info.field_name or ""].annotation)
        if not kinds & {bool, Any} and any(
            isinstance(one, bool) for one in (value if isinstance(value, list | tuple) else [value])
        ):
            raise ValueError("expected no truth value")
        return value


def _kinds(annotation: Any) -> set[Any]:
    """The annotation and all that it is made of."""
    return {annotation}.union(*map(_kinds, get_args(annotation)))
