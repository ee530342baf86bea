"""What crosses the fleet is read whole or refused, whatever it is."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_weekops.fleet.messages import GateTask, MessageRefused, Piece, Who, decode, encode

PIECE = Piece(task="a-task-of-tests", offset=7, text="x\n", state="ended", status=11, said="so")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from([*Piece.model_fields, "x"]), inner),
    max_leaves=8,
)


def test_a_record_comes_back_as_it_was() -> None:
    """As one line of ASCII."""
    text = encode(PIECE)
    assert text.isascii()
    assert "\n" not in text
    assert decode(Piece, text) == PIECE


@given(st.text() | JSON.map(json.dumps) | JSON)
def test_anything_else_is_refused(message: object) -> None:
    """Nothing but a refusal comes of it, in a sentence that is short."""
    for model in (Piece, Who, GateTask):
        with pytest.raises(MessageRefused) as refused:
            decode(model, message)
        assert len(str(refused.value)) <= 300


@pytest.mark.parametrize("task", ["../../etc", "a/b-c-d-e-f", "", "A" * 20, "-rf-rf-rf-rf", "x" * 100])
def test_a_task_is_a_plain_name(task: str) -> None:
    """It becomes a directory's name on a host."""
    facts = json.dumps({"task": task, "offset": 0, "state": "ended"})
    with pytest.raises(MessageRefused, match="task"):
        decode(Piece, facts)
