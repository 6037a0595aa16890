"""A local provider that fails like the real ones, one behaviour per API key.

It speaks OpenAI's and Anthropic's wire formats, so the SDKs you have talk to it unchanged:
rehearse an outage, test a failover, count which key was asked what.

    with Simulator({"sk-a": "revoked", "sk-b": "healthy"}) as sim:
        client = openai.OpenAI(base_url=sim.base_url, api_key="sk-b", max_retries=0)

Needs the extra ``simulator``.
"""

try:
    import starlette as _starlette  # noqa: F401
    import uvicorn as _uvicorn  # noqa: F401
    import yaml as _yaml  # noqa: F401
except ImportError as error:
    raise ImportError(
        f"sparekey.simulator needs {error.name}: pip install 'sparekey[simulator]'", name=error.name
    ) from error

from sparekey.simulator._behaviours import (
    Behaviour,
    Custom,
    Disconnect,
    Healthy,
    Limited,
    Malformed,
    RateLimited,
    Refusal,
    Slow,
    StreamBreak,
    describe,
)
from sparekey.simulator._journal import RequestRecord
from sparekey.simulator._scenario import KeyEntry, Scenario, load_scenario
from sparekey.simulator._simulator import Simulator

__all__ = [
    "Behaviour",
    "Custom",
    "Disconnect",
    "Healthy",
    "KeyEntry",
    "Limited",
    "Malformed",
    "RateLimited",
    "Refusal",
    "RequestRecord",
    "Scenario",
    "Simulator",
    "Slow",
    "StreamBreak",
    "describe",
    "load_scenario",
]
