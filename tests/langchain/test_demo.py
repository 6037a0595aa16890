"""What is shown to newcomers works."""

from __future__ import annotations

import runpy
from importlib.metadata import entry_points
from pathlib import Path

import openai
import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "langchain_chat.py"


def test_the_demos_host_asks_through_a_chain(three_dead, keys):
    """The command ``sparekey demo`` finds it by its entry point."""
    (entry,) = entry_points(group="sparekey.demo", name="langchain")
    heard = []
    rows = [{"model_name": "chat", "model": "openai/gpt-4o", "api_keys": keys, "api_base": three_dead.base_url}]
    host = entry.load()(rows, "chat", heard.append)

    assert host.ask("are you there?").endswith("you said 'are you there?'")
    assert host.title
    assert 'ChatSparekey(model="chat", model_list=model_list)' in host.code
    assert [attempt.reason for attempt in heard] == ["rate_limit", "auth", "billing", None]
    with pytest.raises(openai.BadRequestError):
        host.ask("hello", max_tokens=-1)
    host.close()


def test_the_example_runs(capsys):
    """As it stands, without a key and without a network."""
    runpy.run_path(str(EXAMPLE), run_name="__main__")
    said = capsys.readouterr().out

    assert said.count("Paris.") == 2
    assert "all 4 candidates failed, 3 of them skipped" in said
    assert "Come back in 20 seconds." in said or "Come back in 19 seconds." in said
