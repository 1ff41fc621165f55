"""Generate the JSON schema and the reference of all config keys from the models.

``python -m gamtune.config.reference`` writes config/schema.json and config/README.md. A test fails if they are out of
date.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic.json_schema import models_json_schema

from gamtune.config.data_section import Data
from gamtune.config.distributions import DISTRIBUTIONS, Distribution
from gamtune.config.search import STRATEGIES, Search
from gamtune.config.settings import SETTINGS
from gamtune.config.study import Analysis, Execution, SelectionSettings, Study, Tracking, Training

INTRODUCTION = """\
# Config reference

This page is generated from the models in `workflow/gamtune/config` by `make reference`; do not edit it by hand.

A study is one YAML file. `study`, `data`, `search` and `space` are required (strategy `manual` does not require
`space`); all other keys have a default value. `gamtune check FILE` reports each error on one line. An editor that
supports JSON schema checks the file while you type if its first line is
`# yaml-language-server: $schema=../schema.json` (the path from your file to `config/schema.json`).

Snakemake executes code under the key `__use_yte__` of a config file. Read config files from other people before you use
them.
"""

SPACE = """\
## space

The hyperparameters that are searched, one key each: any setting of the section `training` below, and `patience` and
`min_delta` of `early_stopping`. A value here takes precedence over the value in the section `training`.

```yaml
space:
  depth: {integer: [1, 5]}
  neurons: {integer: [20, 600], per: depth}    # one value per hidden layer
  activation: [relu, tanh]                     # a list is a choice
  optimizer: [adadelta, sgd]
  rho: {uniform: [0.9, 0.999], when: {optimizer: adadelta}}
  batch_size: 64                               # a single value is fixed
```

| distribution | meaning | keys |
| --- | --- | --- |
"""


def schema() -> str:
    """Return the JSON schema of the config as text."""
    strategies = [STRATEGIES.load(name) for name in STRATEGIES.built_in]
    distributions = [DISTRIBUTIONS.load(name) for name in DISTRIBUTIONS.built_in]
    models = [(model, "validation") for model in (Study, *strategies, *distributions)]
    _, combined = models_json_schema(models)  # type: ignore[arg-type]
    definitions = combined["$defs"]
    study = definitions.pop("Study")
    scalar = {"type": ["number", "string", "boolean"]}
    references = [{"$ref": f"#/$defs/{model.__name__}"} for model in distributions]
    study["properties"]["space"] = {
        "description": study["properties"]["space"]["description"],
        "type": "object",
        "properties": {name: {"anyOf": [*references, {"type": "array"}, scalar]} for name in SETTINGS},
        "additionalProperties": False,
        "default": {},
    }
    study["properties"]["search"] = {
        "description": str(Search.__doc__),
        "oneOf": [{"$ref": f"#/$defs/{model.__name__}"} for model in strategies],
    }
    for base in ("Search", "Distribution"):
        definitions.pop(base)
    document = {"$schema": "https://json-schema.org/draft/2020-12/schema", **study, "$defs": definitions}
    return json.dumps(document, indent=2) + "\n"


def reference() -> str:
    """Return the reference of all keys as Markdown."""
    parts = [INTRODUCTION, f"## study\n\n{Study.model_fields['study'].description}\n"]
    parts += [_section("data", Data), _strategies(), SPACE + _distributions()]
    others: dict[str, Any] = {
        "training": Training,
        "analysis": Analysis,
        "selection": SelectionSettings,
        "tracking": Tracking,
        "execution": Execution,
    }
    parts += [_section(name, model) for name, model in others.items()]
    return "\n".join(parts)


def _section(name: str, model: type[BaseModel]) -> str:
    lines = [f"## {name}", "", str(model.__doc__), "", "| key | default | meaning |", "| --- | --- | --- |"]
    lines += [f"| `{key}` | {default} | {text} |" for key, default, text in _keys(model)]
    return "\n".join(lines) + "\n"


def _strategies() -> str:
    """Return the section `search`: the strategies, then each key with the strategies that use it."""
    models = {name: STRATEGIES.load(name) for name in STRATEGIES.built_in}
    described = [f"| `{name}` | {model.model_fields['strategy'].description} |" for name, model in models.items()]
    lines = ["## search", "", str(Search.__doc__), "", "| strategy | configurations |", "| --- | --- |", *described, ""]
    lines += ["| key | strategies | default | meaning |", "| --- | --- | --- | --- |"]
    keys: dict[str, dict[str, tuple[str, str]]] = {}
    for name, model in models.items():
        for key, default, text in _keys(model):
            keys.setdefault(key, {})[name] = (default, text)
    for key, readers in sorted(keys.items(), key=lambda item: -len(item[1])):
        if key != "strategy":
            default, text = next(iter(readers.values()))
            names = "all" if len(readers) == len(models) else ", ".join(readers)
            lines.append(f"| `{key}` | {names} | {default} | {text} |")
    return "\n".join(lines) + "\n"


def _keys(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, str, str]]:
    """Yield key, default and description of every field; the fields of a nested model follow its key."""
    for name, field in model.model_fields.items():
        nested = _nested(field)
        description = str(field.description).replace("|", "\\|")
        default = "required" if field.is_required() else f"`{_shown(field.default)}`"
        yield f"{prefix}{name}", default, description
        if nested is not None:
            yield from _keys(nested, f"{prefix}{name}.")


def _nested(field: FieldInfo) -> type[BaseModel] | None:
    default = field.default
    return type(default) if isinstance(default, BaseModel) else None


def _shown(default: Any) -> str:
    """Return a default value as in YAML."""
    if isinstance(default, BaseModel):
        return json.dumps(default.model_dump(mode="json"))
    return json.dumps(default)


def _distributions() -> str:
    lines = []
    for name in DISTRIBUTIONS.built_in:
        model: type[Distribution] = DISTRIBUTIONS.load(name)
        own = [key for key in model.model_fields if key not in Distribution.model_fields]
        keys = " ".join(f"`{key}`: {model.model_fields[key].description}" for key in own)
        lines.append(f"| `{name}` | {str(model.__doc__).splitlines()[0]} | {keys} |")
    per, when = (Distribution.model_fields[key].description for key in ("per", "when"))
    lines += ["", "These keys are optional for every distribution:", "", f"- `per`: {per}", f"- `when`: {when}", ""]
    return "\n".join(lines)


def write(folder: Path) -> None:
    """Write schema.json and README.md."""
    (folder / "schema.json").write_text(schema(), encoding="utf-8")
    (folder / "README.md").write_text(reference(), encoding="utf-8")


if __name__ == "__main__":
    write(Path("config"))
