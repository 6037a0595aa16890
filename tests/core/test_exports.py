"""The small door: what ``import sparekey`` gives, and what it costs."""

from __future__ import annotations

import subprocess
import sys
from types import ModuleType

import sparekey as sk


def test_every_public_name_is_listed_and_the_list_is_sorted():
    """``__all__`` is what the package really shows."""
    shown = {name for name, value in vars(sk).items() if not name.startswith("_") and not isinstance(value, ModuleType)}

    assert set(sk.__all__) == shown
    assert sk.__all__ == sorted(sk.__all__)


def test_the_contract_is_kept():
    """Names that other code relies on."""
    names = {
        "ModelConfig", "merge_api_keys", "expand_model_list", "load_config", "Candidate", "resolve_candidates",
        "candidates_for", "config_for", "Reason", "classify", "Verdict", "Policy", "CooldownTracker", "shared_tracker",
        "FallbackChain", "FallbackResult", "Attempt", "FallbackExhaustedError", "SparekeyError", "ConfigError",
        "NoCandidatesError", "time_left",
    }  # fmt: skip

    assert names <= set(sk.__all__)


def test_the_core_imports_nothing_but_pydantic():
    """No client, no host and no extra is loaded by importing the library."""
    program = (
        "import sys; before = set(sys.modules); import sparekey; "
        "new = {m.partition('.')[0] for m in set(sys.modules) - before if m[0] != '_'}; "
        "print(*(new - set(sys.stdlib_module_names)))"
    )
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()

    assert set(loaded) <= {
        "sparekey",
        "pydantic",
        "pydantic_core",
        "annotated_types",
        "typing_extensions",
        "typing_inspection",
    }
