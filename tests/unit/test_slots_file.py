"""Slots files: the trials of a stage with their complete specifications."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gamtune.config.settings import make_spec
from gamtune.errors import DamagedError
from gamtune.files import write_text
from gamtune.results.slots_file import COLUMNS, FilledSlot, read_slot, read_slots, write_slots

SPEC = make_spec({"neurons": [31, 7]}, 1)
NAMES = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\x00\r"), min_size=1)
SLOTS = st.builds(FilledSlot, NAMES, NAMES, st.none() | st.just(SPEC), NAMES | st.just(""))


@given(slots=st.lists(SLOTS, max_size=4))
def test_slots_are_read_as_they_were_written(tmp_path_factory, slots):
    path = tmp_path_factory.mktemp("slots") / "slots.csv"
    write_slots(path, slots)
    assert read_slots(path) == slots


def test_a_slot_is_found_by_its_name(tmp_path):
    write_slots(tmp_path / "slots.csv", [FilledSlot("a/1", "a", SPEC), FilledSlot("a/2", "a", None, "no such trial")])
    assert read_slot(tmp_path / "slots.csv", "a/1").spec == SPEC
    assert read_slot(tmp_path / "slots.csv", "a/2") == FilledSlot("a/2", "a", None, "no such trial")
    with pytest.raises(DamagedError, match=re.escape("it has 2 slot(s), and no slot 'a/3'")):
        read_slot(tmp_path / "slots.csv", "a/3")


@pytest.mark.parametrize("spec", ["{", "[1]", '{""a"": 1}', "{}"])
def test_a_slot_without_a_valid_specification_is_reported(tmp_path, spec):
    write_text(tmp_path / "slots.csv", f'{",".join(COLUMNS)}\n3,x,,"{spec}"\n')
    with pytest.raises(DamagedError, match="slot 3 has no specification of a trial"):
        read_slots(tmp_path / "slots.csv")
