import csv
import shutil
import subprocess
from pathlib import Path

import pytest

from gamtune.search.distributions.beta import Beta
from gamtune.search.distributions.choice import Choice
from gamtune.search.distributions.normal import Normal
from gamtune.search.distributions.ranges import Integer, LogUniform, Uniform
from gamtune.search.draws import seeded_rows
from gamtune.search.r_generator import RStream

GOLDEN = Path(__file__).parents[1] / "golden" / "r_draws"
RSCRIPT = shutil.which("Rscript")
KINDS = ("rounding", "rejection")
PUBLISHED = {
    "depth": Integer(integer=(1, 5)),
    "neurons": Integer(integer=(20, 600), per="depth"),
    "l1": Uniform(uniform=(0, 0.01)),
    "l2": Uniform(uniform=(0, 0.01)),
    "hidden_dropout": Beta(beta=(1.5, 1), scale=0.5, per="depth"),
    "input_dropout": Beta(beta=(1, 12)),
    "rho": Uniform(uniform=(0.9, 0.999)),
    "epsilon": Uniform(uniform=(1e-10, 1e-4)),
}
SIZES = (1, 2, 3, 5, 64, 65, 581, 65535, 65536, 65537, 1_000_000, 2**31 - 1)
SHAPES = ((1, 12), (12, 1), (1.5, 1), (0.5, 0.5), (0.01, 3), (2, 3), (3, 2), (40, 7), (1, 1), (1000, 0.2))


@pytest.mark.parametrize("kind", KINDS)
def test_the_published_configurations_are_drawn_to_the_last_bit(kind):
    with (GOLDEN / f"published_{kind}.csv").open() as file:
        published = list(csv.DictReader(file))
    drawn = seeded_rows(PUBLISHED, [int(row["seed"]) for row in published], f"R-{kind}", depth=None)
    for row, expected in zip(drawn, published, strict=True):
        for name in PUBLISHED:
            values = row[name] if isinstance(row[name], list) else [row[name]]
            assert [f"{value:.17g}" for value in values] == expected[name].split(), (expected["seed"], name)
    assert len(published) == 50


def drawn(seed, kind):
    stream = RStream(seed, kind)
    yield from (stream.sample(size) + 1 for size in SIZES)
    yield from (stream.runif(-2, 0.3) for _ in range(3))
    yield from (stream.rbeta(*shape) for shape in SHAPES for _ in range(3))
    yield from (stream.rnorm(0.95, 0.02) for _ in range(8))
    yield from (stream.runif(0, 1) for _ in range(700))


@pytest.mark.r
@pytest.mark.skipif(RSCRIPT is None, reason="R is not installed")
@pytest.mark.parametrize("kind", KINDS)
def test_the_draws_of_a_thousand_seeds_equal_those_of_r(kind):
    done = subprocess.run(
        [RSCRIPT, "--vanilla", GOLDEN / "many.R", kind.capitalize(), "1000"], capture_output=True, text=True, check=True
    )
    lines = done.stdout.splitlines()
    assert len(lines) == 1000
    for line in lines:
        seed, *expected = line.split()
        assert [f"{value:.17g}" for value in drawn(int(seed), kind)] == expected, seed


@pytest.mark.parametrize("kind", KINDS)
def test_a_hyperparameter_with_one_value_uses_no_random_number(kind):
    fixed = {"activation": Choice(choice=["relu"]), "batch_size": Integer(integer=(32, 32))}
    (alone,) = seeded_rows(PUBLISHED, [403], f"R-{kind}", depth=None)
    (beside,) = seeded_rows(fixed | PUBLISHED, [403], f"R-{kind}", depth=None)
    assert beside == {"activation": "relu", "batch_size": 32} | alone


def test_the_other_priors_are_drawn_as_in_r():
    space = {"l1": LogUniform(log_uniform=(1e-6, 1e-2)), "rho": Normal(normal=(0.95, 0.01))}
    (row,) = seeded_rows(space, [7], "R-rejection", depth=None)
    # R: set.seed(7); exp(runif(1, log(1e-6), log(1e-2))); rnorm(1, .95, .01)
    assert (f"{row['l1']:.17g}", f"{row['rho']:.17g}") == ("0.0090289488233604789", "0.94740812930522089")


def test_conditions_do_not_change_the_other_draws_of_r():
    space = {"optimizer": Choice(choice=["adadelta", "sgd"]), "rho": Uniform(uniform=(0.9, 1))}
    conditional = space | {"rho": Uniform(uniform=(0.9, 1), when={"optimizer": "adadelta"})}
    drawn = list(seeded_rows(space, range(1, 30), "R-rejection", depth=None))
    kept = list(seeded_rows(conditional, range(1, 30), "R-rejection", depth=None))
    assert kept == [row if row["optimizer"] == "adadelta" else {"optimizer": "sgd"} for row in drawn]
    assert {row["optimizer"] for row in kept} == {"adadelta", "sgd"}
