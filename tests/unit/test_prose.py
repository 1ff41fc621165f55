"""Texts use the project's vocabulary and none of the phrases listed here, which are hard to understand.

`make lint` runs this file. Each entry has the replacement to use. A space in a pattern also matches a line break.
"""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CHECKED = ("README.md", "CONTRIBUTING.md", "SECURITY.md", ".github", "docs", "config", "workflow", "results/README.md")
SUFFIXES = {".md", ".py", ".rst", ".smk", ".yaml", ".yml", ".json", ".j2", ""}

BANNED = {
    # Vocabulary
    r"hyper-parameters?": "hyperparameter",
    r"(training|validation|test) rows?": "training, validation or test samples; test set",
    r"(the )?rows? (to train|tried|trained|drawn)": "configurations or trials",
    r"rows? by hand": "configurations listed by hand",
    r"trainings": "trials (or: training, without plural)",
    r"contenders?": "candidate (proposed for selection) or finalist (scored on the test set)",
    r"decisions?": "selection",
    r"gamtune outcome": "gamtune show",
    r"gamtune retry": "gamtune reset-failed",
    r"under way": "running",
    r"(one|a value|values?) a (layer|row|seed|trial|fold|class|parameter)": "one per layer, per trial, ...",
    # Riddles, personification and aphorisms
    r"unless given": "by default",
    r"means? nothing": "is not valid for, has no effect",
    r"flatter(s|ed|ing|y)?": "optimistically biased",
    r"(what|as) (it|they) (came|comes?) to": "a summary of the results",
    r"(came|comes) to": "is, results in",
    r"of (yours|theirs|its own|their own)": "your, its; separate",
    r"whatever": "any, for any, independent of",
    r"for ever": "permanently, always",
    r"(as|for) what it is": "state the property",
    r"(is|are|was|were) held against": "is compared with",
    r"luck(y|iest|ier)?": "optimistically biased, by chance",
    r"(meets?|met) on the test": "is compared on the test set",
    r"look(s|ed)? at the test": "use the test set",
    r"hangs? on": "depends on",
    r"goes with": "is correlated with, belongs to",
    r"(is|are|was|were|be) told( |,|\.)": "receives, is reported",
    r"(cannot|can) be told apart": "can be distinguished",
    r"and (says?|tells?) so": "and reports it",
    r"(says?|tells?) (how|what|which|whether|where|why|who|if)": "states, shows, returns",
    r"a number that is none": "an invalid number",
    r"(is|are) asked for": "is required, is requested",
    r"takes? (it )?up( again)?": "continues",
    r"at a stroke|out of the box|by and large": "use a literal phrase",
    r"can be trusted": "is reliable",
    r"could stand for": "can approximate",
    r"all at once|at once": "immediately; at the same time; without interruption",
    # Form
    r"(?<=\s)\.\d+": "a number with a leading zero, such as 0.05",
    r"(?<![\w.:{])[\d.]+%(?=[\s,.)])": "a space before %, such as 5 %",
}


def texts() -> Iterator[tuple[str, str]]:
    """Yield path and content of each file that is checked."""
    command = ["git", "ls-files", "-z", "--", *CHECKED]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    for name in filter(None, names):
        path = ROOT / name
        if path.suffix in SUFFIXES and path.is_file():
            yield name, path.read_text()


def expression(phrase: str) -> re.Pattern[str]:
    """Compile a phrase between word boundaries; its spaces also match line breaks and the beginning of comments."""
    spaced = phrase.replace(" ", r"[\s#]+")
    return re.compile(rf"(?<!\w)(?:{spaced})(?!\w)", re.IGNORECASE)


EXPRESSIONS = {phrase: expression(phrase) for phrase in BANNED}


def violations(text: str) -> Iterator[tuple[int, str, str]]:
    """Yield line number, banned phrase and the words found."""
    for phrase, pattern in EXPRESSIONS.items():
        for match in pattern.finditer(text):
            yield text.count("\n", 0, match.start()) + 1, phrase, " ".join(match[0].split())


def test_texts_contain_no_banned_phrase():
    found = [
        f"{name}:{line}: {words!r}; use: {BANNED[phrase]}"
        for name, text in texts()
        for line, phrase, words in sorted(violations(text))
    ]
    assert not found, "\n".join(["banned phrases:", *found])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("# the value is 3 unless\n# given", ["unless # given"]),
        ("Hyper-parameters of p = .03", ["Hyper-parameters", ".03"]),
        ("About 5% of the trainings, rows tried", ["rows tried", "trainings", "5%"]),
        ("hyperparameters, p = 0.03, 5 %, 0.5 to 1.5, `a.1`, retraining", []),
    ],
)
def test_a_banned_phrase_is_found_in_any_case_and_across_lines(text, words):
    assert [found for _, _, found in violations(text)] == words
