"""What is shown to newcomers works."""

from __future__ import annotations

import runpy
from importlib.metadata import entry_points
from pathlib import Path

import openai
import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


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


@pytest.fixture
def run(capsys):
    """Runs an example as it stands, without a key and without a network; gives what it prints."""

    def said(name):
        runpy.run_path(str(EXAMPLES / name), run_name="__main__")
        return capsys.readouterr().out

    return said


def test_the_chats_example_runs(run):
    """Three dead keys, a stream, and the error when the last one dies."""
    said = run("langchain_chat.py")

    assert said.count("Paris.") == 2
    assert "all 4 candidates failed, 3 of them skipped" in said
    assert "Come back in 20 seconds." in said or "Come back in 19 seconds." in said


def test_the_retrieval_example_runs(run):
    """Facts are found, and whoever is left answers."""
    said = run("langchain_rag.py")

    assert "Hello from key-2 (gpt-4o): you said 'Saturn has 274 moons" in said
    assert "Hello from key-3 (gpt-4o): you said 'Venus has no moon at all" in said
    assert "for auth, 600 s" in said


@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")  # langchain-openai's own, of its parsed answers
def test_the_agents_example_runs(run):
    """The second provider takes over between the tool's result and the report."""
    said = run("langchain_agent.py")

    assert "['get_weather']  (by openai, after no failure)" in said
    assert "(by anthropic, after billing)" in said
    assert "place='Paris'" in said
