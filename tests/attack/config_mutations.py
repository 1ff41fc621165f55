"""Mutations of a config file, each with the expected result.

A mutation takes a random generator and the text of a config, and returns the bytes of the new file, or None if it cannot
be applied to the config.
"""

import copy
import math
import re
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import yaml

SAME = "same"  # accepted, with the same trials as the original
REFUSED = "refused"
EITHER = "either"  # accepted or refused, within the limits of time, memory and length

FREE_NAMES = ("by_hand",)  # users choose the names of the keys below these
NUMBERS: list[Any] = [
    0, -1, 1, 2, 0.5, 1e-300, 1e300, 5e-324, 10**6, 10**9, 2**31, 2**32, 2**63, 10**40, -(10**40), 1e-10, -0.0,
]  # fmt: skip
ODD: list[Any] = [
    *NUMBERS, math.inf, -math.inf, math.nan, True, False, None, "", " ", "null", "0", "1e5", "1,5", "1:30", "#", "{}",
    "../..", "/dev/zero", "/", ".", "~", "a" * 5000, "é", "日本", "\u202e", "\x07", "'", '"', "$(touch pwned)", "`touch pwned`",
    "; touch pwned", "{study}", "%s", "\\", "<b>", "-", "- -", [], {}, [[]], [1, 2, 3, 4], {"a": 1}, {"": None}, [None], ["x"] * 300,
    {"uniform": [0, 1]}, {"uniform": [1, 0]}, {"beta": [math.nan, 1]}, {"beta": [0, 0]}, {"beta": [1e-300, 1e300]},
    {"normal": [0, 1e-300], "min": 5}, {"normal": [0, 1], "min": 40}, {"integer": [0, 10**18]}, {"log_uniform": [0, 1]},
    {"choice": []}, {"choice": [{}]}, {"uniform": [0]}, {"uniform": "0, 1"}, {"integer": [1, 5], "per": "l1"},
    {"fraction": 1}, {"folds": 10**9}, {"groups": 5}, {"column": "x"}, {"patience": 10**9},
    "s(l1, k=3)", "te(l1, rho, k=2)", "s(", "s(l1, k=1000000)", "+".join(["s(l1)"] * 500), "s(l1) # s(rho)",
    "s(l1, k=3, k=4)", "s(log(l1))", "log(mse)", "log(log(mse))", "mse", "random", "grid", "manual", "tpe", "halving",
]  # fmt: skip
Mutation = Callable[[Random, str], bytes | None]


def _paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the paths of all keys and items below a value."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield (*path, key)
        yield from _paths(item, (*path, key))


def _at(value: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        value = value[key]
    return value


def _dump(value: Any, **options: Any) -> bytes:
    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True, **options).encode("utf-8", "surrogatepass")


def _is_free(path: tuple[Any, ...]) -> bool:
    return any(name in path[:-1] for name in FREE_NAMES)


def _odd_value(random: Random, text: str) -> bytes | None:
    config = yaml.safe_load(text)
    path = random.choice(list(_paths(config)))
    _at(config, path[:-1])[path[-1]] = copy.deepcopy(random.choice(ODD))
    return _dump(config)


def _odd_values(random: Random, text: str) -> bytes | None:
    config = yaml.safe_load(text)
    for _ in range(random.randint(2, 6)):
        path = random.choice(list(_paths(config)))
        _at(config, path[:-1])[path[-1]] = copy.deepcopy(random.choice(ODD))
    return _dump(config)


def _infinite(random: Random, text: str) -> bytes | None:
    config = yaml.safe_load(text)
    numbers = [
        path for path in _paths(config) if isinstance(_at(config, path), int | float) and _at(config, path) is not True
    ]
    path = random.choice(numbers)
    _at(config, path[:-1])[path[-1]] = random.choice([math.inf, -math.inf, math.nan])
    return _dump(config)


def _misspelt_key(random: Random, text: str) -> bytes | None:
    config = yaml.safe_load(text)
    keys = [path for path in _paths(config) if isinstance(path[-1], str) and not _is_free(path)]
    path = random.choice(keys)
    parent = _at(config, path[:-1])
    renamed = {(f"{key}x" if key == path[-1] else key): value for key, value in parent.items()}
    parent.clear()
    parent.update(renamed)
    return _dump(config)


def _unknown_key(random: Random, text: str) -> bytes | None:
    config = yaml.safe_load(text)
    mappings = [()] + [path for path in _paths(config) if isinstance(_at(config, path), dict) and path[-1] != "by_hand"]
    _at(config, random.choice(mappings))[random.choice(["surplus", "Study", "", " data", "日本", "a" * 3000])] = 1
    return _dump(config)


def _missing_key(random: Random, text: str) -> bytes | None:
    config = yaml.safe_load(text)
    path = random.choice(list(_paths(config)))
    del _at(config, path[:-1])[path[-1]]
    return _dump(config)


def _grafted(random: Random, text: str) -> bytes | None:
    config = yaml.safe_load(text)
    paths = list(_paths(config))
    path = random.choice(paths)
    _at(config, path[:-1])[path[-1]] = copy.deepcopy(_at(config, random.choice(paths)))
    return _dump(config)


def _formula(random: Random, text: str) -> bytes | None:
    config = yaml.safe_load(text)
    words = [
        "s(",
        "te(",
        "f(",
        "log(",
        ")",
        ")",
        "l1",
        "rho",
        "depth",
        "sum_neurons",
        ",",
        "k=",
        "3",
        "4",
        "+",
        "+",
        " ",
        "#",
        "k",
        "-",
        "1",
        "'",
        "by",
    ]
    formula = "".join(random.choice(words) for _ in range(random.randint(1, 25)))
    config.setdefault("analysis", {})["gam"] = formula
    return _dump(config)


def _key_twice(random: Random, text: str) -> bytes | None:
    lines = text.splitlines()
    single = [number for number, line in enumerate(lines) if re.fullmatch(r" *\w+: [^\[{>|&*#]+", line)]
    if not single:
        return None
    number = random.choice(single)
    lines.insert(number + 1, lines[number])
    return "\n".join(lines).encode()


def _flow_key_twice(random: Random, text: str) -> bytes | None:
    found = list(re.finditer(r"\{(\w+: [\w.]+)\}", text))
    if not found:
        return None
    match = random.choice(found)
    return (text[: match.start()] + "{" + match[1] + ", " + match[1] + "}" + text[match.end() :]).encode()


def _carriage_returns(random: Random, text: str) -> bytes | None:
    return text.replace("\n", "\r\n").encode()


def _byte_order_mark(random: Random, text: str) -> bytes | None:
    return b"\xef\xbb\xbf" + text.encode()


def _comments(random: Random, text: str) -> bytes | None:
    lines = text.splitlines()
    for _ in range(5):
        lines.insert(random.randint(0, len(lines)), " " * random.randint(0, 8) + "# a: {comment [é")
    return ("\n".join(lines) + "\n").encode()


def _other_style(random: Random, text: str) -> bytes | None:
    return _dump(
        yaml.safe_load(text), default_flow_style=random.choice([True, False]), width=random.choice([20, 80, 10**6])
    )


def _shuffled_sections(random: Random, text: str) -> bytes | None:
    config = list(yaml.safe_load(text).items())
    random.shuffle(config)
    return _dump(dict(config))


def _numbers_in_other_notation(random: Random, text: str) -> bytes | None:
    def respell(match: re.Match[str]) -> str:
        digits = f"{float(match[0]):.17e}" if "." in match[0] else match[0]
        return digits if float(digits) == float(match[0]) else match[0]

    return re.sub(r"(?<=[\[ ])\d+\.\d+(?=[,\] }\n])", respell, text).encode()


def _truncated(random: Random, text: str) -> bytes | None:
    data = text.encode()
    return data[: random.randrange(len(data))]


def _flipped_bytes(random: Random, text: str) -> bytes | None:
    data = bytearray(text.encode())
    for _ in range(random.choice([1, 1, 2, 5, 50])):
        data[random.randrange(len(data))] = random.randrange(256)
    return bytes(data)


def _inserted(random: Random, text: str) -> bytes | None:
    data = text.encode()
    position = random.randrange(len(data))
    snippet = random.choice(
        [
            b"\t",
            b"\x00",
            b"\xff",
            b"\n---\n",
            b"\n...\n",
            b"\n- x\n",
            b": ",
            b"&a ",
            b"*a ",
            b"<<: *a\n",
            b"!!",
            b"'",
            b'"',
            b"[",
            b"}",
            b"%TAG\n",
            b"@",
            b"`",
        ]
    )
    return data[:position] + snippet + data[position:]


def _encoded(random: Random, text: str) -> bytes | None:
    return (text + "# é\n").encode(random.choice(["utf-16", "utf-16-le", "utf-32", "latin-1"]))


def _merge_key(random: Random, text: str) -> bytes | None:
    return (text + "\nanalysis:\n  <<: {gam: null}\n").encode() if "\nanalysis:" not in text else None


def _appended(line: str) -> Mutation:
    return lambda random, text: f"{text}\n{line}\n".encode()


def _replaced(content: bytes) -> Mutation:
    return lambda random, text: content


def _instead_of(key: str, value: str) -> Mutation:
    """Return a mutation that replaces a section by raw YAML."""

    def mutate(random: Random, text: str) -> bytes | None:
        config = yaml.safe_load(text)
        config.pop(key, None)
        return _dump(config) + f"{key}: {value}\n".encode()

    return mutate


BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(9)
)
MUTATIONS: dict[str, tuple[Mutation, str]] = {
    "odd_value": (_odd_value, EITHER),
    "odd_values": (_odd_values, EITHER),
    "infinite": (_infinite, REFUSED),
    "misspelt_key": (_misspelt_key, REFUSED),
    "unknown_key": (_unknown_key, REFUSED),
    "missing_key": (_missing_key, EITHER),
    "grafted": (_grafted, EITHER),
    "formula": (_formula, EITHER),
    "key_twice": (_key_twice, REFUSED),
    "flow_key_twice": (_flow_key_twice, REFUSED),
    "carriage_returns": (_carriage_returns, SAME),
    "byte_order_mark": (_byte_order_mark, SAME),
    "comments": (_comments, SAME),
    "other_style": (_other_style, SAME),
    "shuffled_sections": (_shuffled_sections, SAME),
    "other_notation": (_numbers_in_other_notation, SAME),
    "truncated": (_truncated, EITHER),
    "flipped_bytes": (_flipped_bytes, EITHER),
    "inserted": (_inserted, EITHER),
    "encoded": (_encoded, EITHER),
    "merge_key": (_merge_key, EITHER),
}
# Each is tried once, on the first config
ONCE: dict[str, tuple[Mutation, str]] = {
    "empty": (_replaced(b""), REFUSED),
    "a_list": (_replaced(b"- 1\n"), REFUSED),
    "a_number": (_replaced(b"5\n"), REFUSED),
    "zero_bytes": (_replaced(bytes(1000)), REFUSED),
    "noise": (_replaced(Random(1).randbytes(5000)), REFUSED),
    "second_document": (_appended("---\nstudy: other"), REFUSED),
    "python_object": (_appended('x: !!python/object/apply:os.system ["touch pwned"]'), REFUSED),
    "yte": (_appended("__use_yte__: true\n?import os: os.system('touch pwned')"), REFUSED),
    "alias_bomb": (_replaced(BOMB.encode()), REFUSED),
    "alias_bomb_appended": (_appended(BOMB), REFUSED),
    "alias_bomb_as_value": (_appended(BOMB.replace("a: &a", "space2: &a", 1)), REFUSED),
    "own_alias": (_appended("x: &x [*x]"), REFUSED),
    "own_alias_in_space": (_instead_of("space", "&x {l1: *x}"), REFUSED),
    "many_keys": (_appended("\n".join(f"key_{n}: {n}" for n in range(100_000))), REFUSED),
    "many_parameters": (_instead_of("space", "{" + ", ".join(f"p{n}: 1" for n in range(50_000)) + "}"), REFUSED),
    "many_choices": (_instead_of("space", "{l1: [" + ", ".join(f"0.{n:06}" for n in range(100_000)) + "]}"), EITHER),
    "deep_lists": (_appended("x: " + "[" * 3000 + "]" * 3000), REFUSED),
    "deep_mappings": (_appended("x: " + "{a: " * 3000 + "1" + "}" * 3000), REFUSED),
    "deep_space": (_instead_of("space", "{l1: " + "[" * 3000 + "]" * 3000 + "}"), REFUSED),
    "deep_blocks": (_appended("\n".join(" " * n + "a:" for n in range(1000))), REFUSED),
    "long_number": (_instead_of("search", "{strategy: random, draws: " + "9" * 6000 + "}"), REFUSED),
    "long_fraction": (_instead_of("space", "{l1: {uniform: [0, 0." + "1" * 6000 + "]}}"), EITHER),
    "long_exponent": (_instead_of("space", "{l1: {uniform: [0, 1e" + "9" * 6000 + "]}}"), REFUSED),
    "long_text": (_instead_of("study", "a" * 1_000_000), REFUSED),
    "tagged_integer": (_instead_of("search", "{strategy: random, draws: !!int abc}"), REFUSED),
    "tagged_float": (_instead_of("space", "{l1: !!float abc}"), REFUSED),
    "bad_date": (_instead_of("study", "2024-13-45"), REFUSED),
    "bad_time": (_instead_of("study", "2001-12-14t99:59:43.1Z"), REFUSED),
    "date_as_name": (_instead_of("study", "2024-01-01"), EITHER),
    "binary": (_instead_of("study", "!!binary abc"), REFUSED),
    "a_set": (_instead_of("space", "!!set {l1, rho}"), REFUSED),
    "an_ordered_map": (_instead_of("space", "!!omap [l1: 1]"), EITHER),
    "a_list_as_key": (_appended("? [a, b]\n: 1"), REFUSED),
    "a_number_as_key": (_appended("1: 2"), REFUSED),
    "a_null_key": (_appended("~: 2"), REFUSED),
    "billion_draws": (_instead_of("search", "{strategy: random, draws: 1000000000}"), REFUSED),
    "billion_rungs": (_instead_of("search", "{strategy: halving, draws: 1000000000, eta: 2, rungs: 20}"), REFUSED),
    "billion_grid": (_instead_of("space", "{" + ", ".join(f"{name}: [1e-3, 2e-3, 3e-3, 4e-3, 5e-3, 6e-3, 7e-3, 8e-3, 9e-3, 1e-2]"
                     for name in ("l1", "l2", "learning_rate", "epsilon")) + ", epochs: [1,2,3,4,5,6,7,8,9], rho: [0.9, 0.91, 0.92, 0.93, 0.94]}"), EITHER),
    "beta_of_nan": (_instead_of("space", "{l1: {beta: [.nan, 1]}}"), REFUSED),
    "beta_of_infinity": (_instead_of("space", "{l1: {beta: [.inf, 1]}}"), REFUSED),
    "beta_tiny": (_instead_of("space", "{l1: {beta: [1.0e-300, 1.0e-300]}}"), EITHER),
    "normal_far_away": (_instead_of("space", "{l1: {normal: [0, 1.0e-5], min: 1}}"), EITHER),
    "huge_seed": (_instead_of("search", "{strategy: random, draws: 3, seed: " + "1" + "0" * 400 + "}"), REFUSED),
    "sexagesimal": (_instead_of("training", "{epochs: 1:30}"), REFUSED),
    "octal": (_instead_of("training", "{epochs: 010}"), EITHER),
    "boolean_number": (_instead_of("training", "{epochs: yes}"), REFUSED),
    "name_with_slash": (_instead_of("study", "../escaped"), REFUSED),
    "name_with_newline": (_instead_of("study", '"a\\nb"'), REFUSED),
    "name_with_colour": (_instead_of("study", '"\\e[31mred"'), REFUSED),
}  # fmt: skip
