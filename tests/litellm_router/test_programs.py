"""The programs that come along: the demo's host and the example."""

from __future__ import annotations

import runpy
from pathlib import Path

import litellm
import pytest

from litellm_sparekey._demo import open_host

EXAMPLE = Path(__file__).parents[2] / "examples" / "litellm_router.py"


def test_the_demo_s_host_is_a_real_router(provider):
    """It asks, tells of every attempt, falls back, and closes."""
    sim = provider({"sk-a": "revoked", "sk-b": "no_credit", "sk-c": "healthy"}, reply="Paris.")
    heard = []
    host = open_host(
        [
            {
                "model_name": "chat",
                "model": "openai/gpt-4o",
                "api_base": sim.base_url,
                "api_keys": ["sk-a", "sk-b"],
                "fallbacks": ["backup"],
            },
            {"model_name": "backup", "model": "openai/gpt-4o-mini", "api_base": sim.base_url, "api_key": "sk-c"},
        ],
        "chat",
        heard.append,
    )

    assert host.ask("What is the capital of France?") == "Paris."
    with pytest.raises(litellm.BadRequestError):
        host.ask("What?", max_tokens=-1)
    host.close()

    assert [a.reason for a in heard if not a.skipped] == ["auth", "billing", None, "format"]
    assert "install(router)" in host.code


def test_the_example_runs(capsys):
    """Offline, with make-believe keys."""
    runpy.run_path(str(EXAMPLE), run_name="__main__")

    said = capsys.readouterr().out
    assert "chat__key_2" in said
    assert "sk-" not in said.replace("sk-example", "")
