"""The demo's hosts: those that installed packages bring, and the core by itself."""

from __future__ import annotations

import json
import logging
import os
import urllib.error
import urllib.request
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import sparekey as sk
from sparekey.cli._stage import OpenHost

GROUP = "sparekey.demo"
CORE = "core"

# Told to whoever lacks them; nothing here depends on either.
INSTALL = {
    "langchain": "pip install 'langchain-sparekey[openai]'",
    "litellm": "pip install litellm-sparekey",
}


def choose(wanted: Iterable[str]) -> dict[str, EntryPoint | None]:
    """The hosts to show, in order: those asked for, or all that are installed, or the core.

    The core's own host has no entry point and stands there as None.

    Raises:
        ConfigError: one was asked for that there is not.
    """
    installed = {entry.name: entry for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name)}
    chosen: dict[str, EntryPoint | None] = {}
    for name in wanted:
        if name not in installed and name != CORE:
            how = f": {INSTALL[name]}" if name in INSTALL else f"; there are {', '.join([*installed, CORE])}"
            raise sk.ConfigError(f"the demo's host {name!r} is not installed{how}")
        chosen[name] = installed.get(name)
    return chosen or dict(installed) or {CORE: None}


def load(entry: EntryPoint | None) -> OpenHost:
    """What opens the host."""
    if entry is None:
        return open_core
    opener: OpenHost = entry.load()
    return opener


def lacking(entry: EntryPoint, error: Exception) -> str:
    """The package that is not installed, if that is why the host does not open; else empty."""
    package = (error.name or "").partition(".")[0] if isinstance(error, ImportError) else ""
    # A module missing from the host's own package is a fault of it, and not of the installation.
    return "" if package == entry.module.partition(".")[0] else package


@contextmanager
def alone() -> Iterator[None]:
    """For as long as it lasts, no host looks further than this machine, and none talks in between."""
    before = dict(os.environ)
    for name in [name for name in os.environ if name.upper().endswith("_PROXY")]:
        del os.environ[name]  # the simulator is not behind it
    os.environ |= {
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "LANGSMITH_TRACING": "false",
        "LANGCHAIN_TRACING_V2": "false",
        "HF_HUB_OFFLINE": "1",
    }
    logging.disable(logging.CRITICAL)  # the failures are the show; the frameworks' own lines on them are not
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(logging.NOTSET)
        os.environ.clear()
        os.environ |= before


_CODE = """\
models = sk.expand_model_list(model_list)
chain = sk.FallbackChain()
chain.execute(sk.candidates_for("chat", models), call)  # call(candidate) asks the provider
"""


class ProviderError(Exception):
    """An HTTP error with what the provider said in its body, as an SDK raises it."""

    def __init__(self, error: urllib.error.HTTPError) -> None:
        with error:
            said = json.load(error)
        super().__init__(f"Error code: {error.code} - {said['error']['message']}")
        self.status_code = error.code
        self.headers = dict(error.headers)
        self.body = said


class _Core:
    """The core by itself, with the standard library for a client."""

    title = "Plain Python: sparekey.FallbackChain"
    code = _CODE

    def __init__(
        self, model_list: list[dict[str, Any]], model: str, on_attempt: Callable[[sk.Attempt], object]
    ) -> None:
        self._models = sk.expand_model_list(model_list)
        self._candidates = sk.candidates_for(model, self._models)
        self._chain = sk.FallbackChain(on_attempt=on_attempt)

    def ask(self, prompt: str, **settings: Any) -> str:
        def call(candidate: sk.Candidate) -> str:
            return self._post(candidate, {"messages": [{"role": "user", "content": prompt}], **settings})

        return self._chain.execute(self._candidates, call).response

    def _post(self, candidate: sk.Candidate, body: dict[str, Any]) -> str:
        entry = sk.config_for(candidate, self._models)
        assert entry.api_key is not None
        request = urllib.request.Request(  # noqa: S310 - the stage's own http address
            f"{entry.api_base}/chat/completions",
            data=json.dumps({"model": candidate.model, **body}).encode(),
            headers={
                "Authorization": f"Bearer {entry.api_key.get_secret_value()}",
                "Content-Type": "application/json",
            },
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310
                text: str = json.load(response)["choices"][0]["message"]["content"]
                return text
        except urllib.error.HTTPError as error:
            raise ProviderError(error) from None

    def close(self) -> None:
        """Nothing is held."""


open_core: OpenHost = _Core
