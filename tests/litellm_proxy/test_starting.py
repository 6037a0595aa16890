"""How a proxy starts with sparekey, and when it had better not."""

from __future__ import annotations

import json
import os
import subprocess

import pytest
import yaml

from litellm_sparekey import expand_config_text

pytestmark = pytest.mark.timeout(180)

LINE = "litellm_sparekey.proxy.callback"
THEIRS = """
from litellm.integrations.custom_logger import CustomLogger

class Theirs(CustomLogger):
    async def async_pre_call_hook(self, user_api_key_dict, cache, data, call_type):
        print(f"theirs was asked for {data['model']}", flush=True)

theirs = Theirs()
"""

READ = """
import asyncio, json, sys
from litellm.proxy.proxy_server import proxy_config
from litellm_sparekey.proxy import startup

startup()
found = asyncio.run(proxy_config.get_config(sys.argv[1]))
before = getattr(found, "baseline", found)
print(json.dumps({**found, "changed": [name for name in found if found[name] != before.get(name)]}))
"""


def row(provider, *keys):
    return {
        "model_name": "chat",
        "litellm_params": {"model": "openai/gpt-4o", "api_keys": list(keys), "api_base": provider.base_url},
    }


@pytest.fixture(scope="module")
def refusals(proxies, provider):
    """Proxies that ought not to start, all under way at once."""
    unexpanded = {"model_list": [row(provider, "sk-list-1", "sk-list-2")]}
    expanded = {"model_list": [row(provider)], "litellm_settings": {"callbacks": [LINE]}}
    expanded["model_list"][0]["litellm_params"].update(api_key="sk-one", api_keys=None)
    del expanded["model_list"][0]["litellm_params"]["api_keys"]
    return {
        "a list left": proxies({**unexpanded, "litellm_settings": {"callbacks": [LINE]}}, hook=False).begin(),
        "a wrong setting": proxies({**expanded, "sparekey_settings": {"max_wait": "long"}}, hook=False).begin(),
        "a wrong key": proxies({"model_list": [row(provider, "sk-list-1", 7)]}).begin(),
        "a wrong state": proxies({**expanded, "sparekey_settings": {"state": "mysql://db"}}, hook=False).begin(),
    }


@pytest.mark.parametrize(
    ("mistake", "words"),
    [
        (
            "a list left",
            "model_list[0] (chat): litellm_params.api_keys: is still a list; set LITELLM_WORKER_STARTUP_HOOKS",
        ),
        ("a wrong setting", "sparekey_settings.max_wait: "),
        ("a wrong key", "model_list[0] (chat): litellm_params.api_keys[1]: must be a text, not int"),
        ("a wrong state", "state: 'mysql'"),
    ],
)
def test_a_mistake_ends_the_start_and_is_named(refusals, mistake, words):
    """Nothing is served with keys that would go upstream, or with settings that mean nothing; no key is printed.

    What is wrong is to be seen at a glance: LiteLLM's server would show hundreds of its frames around it.
    """
    proxy = refusals[mistake]

    assert proxy.ended() != 0
    assert words in proxy.said()
    assert "in lifespan" not in proxy.said()
    assert "sk-list-1" not in proxy.said()


def test_what_expand_writes_starts_as_it_is_beside_callbacks_of_the_users_own(proxies, provider, tmp_path):
    """No hook: the expanded file has the line, keeps what was there, and files beside it are found."""
    provider.set("sk-file-1", "no_credit")
    provider.set("sk-file-2", "healthy")
    config = {
        "model_list": [row(provider, "os.environ/FILE_KEY_1", "os.environ/FILE_KEY_2")],
        "litellm_settings": {"callbacks": ["beside.theirs"]},
        "sparekey_settings": {"max_wait": 1},
    }
    proxy = proxies(
        expand_config_text(yaml.safe_dump(config)),
        hook=False,
        env={"FILE_KEY_1": "sk-file-1", "FILE_KEY_2": "sk-file-2"},
    )
    (proxy.folder / "beside.py").write_text(THEIRS)
    proxy.begin().ready()
    provider.clear()

    answers = [proxy.chat("chat") for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert [provider.count("sk-file-1"), provider.count("sk-file-2")] == [1, 2]
    assert proxy.said().count("theirs was asked for chat") == 2


def test_what_the_hook_adds_is_not_taken_for_a_change(python, provider, tmp_path):
    """With a database, LiteLLM stores what differs from what it read; rows and callbacks of ours are no such thing."""
    config = tmp_path / "config.yaml"
    config.write_text(yaml.safe_dump({"model_list": [row(provider, "sk-list-1", "sk-list-2")]}))

    said = subprocess.check_output(
        [python, "-c", READ, config],
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "LITELLM_LOCAL_MODEL_COST_MAP": "True"},
        text=True,
        timeout=120,
    )

    found = json.loads(said.splitlines()[-1])
    assert [deployment["model_info"]["id"] for deployment in found["model_list"]] == ["chat__key_0", "chat__key_1"]
    assert found["litellm_settings"]["callbacks"] == [LINE]
    assert found["changed"] == []
