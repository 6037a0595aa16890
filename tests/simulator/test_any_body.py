"""Whatever a client sends, the simulator answers it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from sparekey.simulator import Simulator
from sparekey.simulator._app import DIALECTS

PARTS = st.sampled_from(["role", "content", "text", "type"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(PARTS, inner),
    max_leaves=8,
)
MESSAGE = st.fixed_dictionaries({"role": st.sampled_from(["user", "assistant"]), "content": JSON})
MESSAGES = st.lists(MESSAGE, min_size=1)
BODIES = st.fixed_dictionaries(
    {"model": st.text(min_size=1), "max_tokens": st.integers(1, 9), "messages": MESSAGES, "input": st.text(min_size=1)},
    optional={
        "system": JSON,
        "stream": st.booleans(),
        "stream_options": JSON,
        "dimensions": st.integers(1, 9) | JSON,
        "encoding_format": st.sampled_from(["float", "base64"]),
    },
)
FIELDS = st.sampled_from(["messages", "input", "model", "max_tokens", "stream"])
PATHS = [operation.path for dialect in DIALECTS for operation in dialect.operations if operation.method == "POST"]


@pytest.mark.parametrize("path", PATHS)
@settings(max_examples=60, deadline=None)
@given(
    body=BODIES, spoiled=st.dictionaries(st.sampled_from(["messages", "input", "model", "max_tokens", "stream"]), JSON)
)
def test_every_body_is_answered_or_refused(path: str, body: dict[str, Any], spoiled: dict[str, Any]) -> None:
    """No body, sound or spoiled, makes the simulator fail: it is a 200 or a 400."""
    sim = TestClient(Simulator({"sk-a": "healthy"})._app)
    sound = sim.post(path, content=json.dumps(body), headers={"authorization": "Bearer sk-a"})
    either = sim.post(path, content=json.dumps(body | spoiled), headers={"authorization": "Bearer sk-a"})

    assert sound.status_code in (200, 400)
    assert either.status_code in (200, 400)
