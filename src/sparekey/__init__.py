"""When one LLM key fails, use the spare.

Several API keys per model, tried in order, with a memory of which are cooling down and why.
"""

from sparekey._candidates import candidates_for, config_for, resolve_candidates
from sparekey._chain import FallbackChain
from sparekey._classify import classify
from sparekey._config import ModelConfig
from sparekey._keys import expand_model_list, merge_api_keys
from sparekey._load import load_config
from sparekey._policy import Action, Ladder, Policy, Rule, Rules
from sparekey._run import Run
from sparekey._seal import seal, unseal
from sparekey._secrets import fingerprint, scrub
from sparekey._settings import load_policy, policy_from
from sparekey._time_left import off_the_clock, time_left
from sparekey._tracker import CooldownTracker, shared_tracker
from sparekey._types import Attempt, Candidate, FallbackResult, Reason, Scope, Verdict
from sparekey._watch import ConfigWatch
from sparekey.errors import (
    AttemptTimeoutError,
    ConfigError,
    CoolingError,
    FallbackExhaustedError,
    NoCandidatesError,
    SparekeyError,
)

__version__ = "0.1.0"

__all__ = [
    "Action",
    "Attempt",
    "AttemptTimeoutError",
    "Candidate",
    "ConfigError",
    "ConfigWatch",
    "CooldownTracker",
    "CoolingError",
    "FallbackChain",
    "FallbackExhaustedError",
    "FallbackResult",
    "Ladder",
    "ModelConfig",
    "NoCandidatesError",
    "Policy",
    "Reason",
    "Rule",
    "Rules",
    "Run",
    "Scope",
    "SparekeyError",
    "Verdict",
    "candidates_for",
    "classify",
    "config_for",
    "expand_model_list",
    "fingerprint",
    "load_config",
    "load_policy",
    "merge_api_keys",
    "off_the_clock",
    "policy_from",
    "resolve_candidates",
    "scrub",
    "seal",
    "shared_tracker",
    "time_left",
    "unseal",
]
