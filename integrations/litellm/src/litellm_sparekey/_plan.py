"""Deployments as candidates: which rows were one entry, and what each of them is to sparekey."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import litellm

import sparekey as sk
from litellm_sparekey._expand import ENTRY
from litellm_sparekey._host import Deployment, Host

# Not part of who is asked, or read below under sparekey's own name.
_NOT_SETTINGS = {"model", "api_key", "api_base", "timeout", "rpm", "fallbacks", "account", "virtual", "model_name"}
_MANY = 16_384
"""Plans and slots kept: wildcards make one for each name that is ever asked for."""


class Slot:
    """One deployment: an API key for one model."""

    __slots__ = ("_params", "candidate", "entry", "id", "order")

    def __init__(self, row: Deployment) -> None:
        info = row.get("model_info") or {}
        self.id = id_of(row)
        self.entry = str(info.get(ENTRY) or self.id)
        self._params = row["litellm_params"]
        order = self._params.get("order")
        self.order: int | None = order if isinstance(order, int) else None
        self.candidate = _candidate(row, self.id)

    def is_of(self, row: Deployment) -> bool:
        """Whether ``row`` is this deployment as it was when the slot was made."""
        params, mine = row["litellm_params"], self._params
        return params is mine or (
            "api_keys" not in params  # which would be sent; it is refused where slots are made
            and params.get("model") == mine.get("model")
            and params.get("api_key") == mine.get("api_key")
            and params.get("api_base") == mine.get("api_base")
        )


class Plan:
    """The slots behind one name, entry by entry. Without a name: one that LiteLLM insists on."""

    def __init__(self, slots: Iterable[Slot], name: str | None = None) -> None:
        self.slots = {slot.id: slot for slot in slots}
        self.name = name
        self.entries: dict[str, list[Slot]] = {}
        for slot in self.slots.values():
            self.entries.setdefault(slot.entry, []).append(slot)
        self.candidates = list(dict.fromkeys(slot.candidate for slot in self.slots.values()))
        self.last_offer: tuple[list[Slot], list[Slot]] | None = None
        """Whom a request was offered last when it began, all of them ready, and who would have been better."""
        self._without: tuple[list[Slot], list[str], frozenset[str]] = ([], [], frozenset())

    def slot(self, row: Deployment) -> Slot | None:
        """The slot of ``row``; None when it is not known, or not as it is now."""
        slot = self.slots.get(id_of(row))
        return slot if slot is not None and slot.is_of(row) else None

    def without(self, offered: list[Slot]) -> list[str]:
        """The ids of everybody else; kept, for the same offer is made as long as nothing fails."""
        return self._split(offered)[1]

    def ids(self, offered: list[Slot]) -> frozenset[str]:
        """Their own; kept, too."""
        return self._split(offered)[2]

    def _split(self, offered: list[Slot]) -> tuple[list[Slot], list[str], frozenset[str]]:
        split = self._without
        if split[0] is not offered:
            kept = frozenset(slot.id for slot in offered)
            split = self._without = offered, [name for name in self.slots if name not in kept], kept
        return split


class Plans:
    """The plans of a router, made when a name is first asked for."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._plans: dict[tuple[str, str | None], Plan | None] = {}
        self._slots: dict[tuple[str, str], Slot] = {}

    def of(self, model: str, team: str | None) -> Plan | None:
        """The plan for a name; None when LiteLLM lists no deployment under it."""
        try:
            return self._plans[model, team]
        except KeyError:
            return self.refresh(model, team)

    def refresh(self, model: str, team: str | None) -> Plan | None:
        """:meth:`of`, read anew: deployments come, go and get other keys while the router runs."""
        if len(self._plans) >= _MANY:
            self._plans.clear()
        # A provider's own name for a model is no group, yet LiteLLM takes whoever has that model, of any group.
        rows = self._host.rows(model, team) or [
            row for row in self._host.rows(None, team) if row["litellm_params"].get("model") == model
        ]
        plan = Plan(map(self._slot, rows), model) if rows else None
        self._plans[model, team] = plan
        return plan

    def pinned(self, row: Deployment) -> Plan:
        """The plan of one deployment alone."""
        return Plan([self._slot(row)])

    def read_all(self) -> None:
        """Make the slot of every deployment, so that the first request finds them made.

        Raises:
            sparekey.ConfigError: a deployment has a list of keys, which LiteLLM would send upstream.
        """
        for row in self._host.rows():
            self._slot(row)

    def _slot(self, row: Deployment) -> Slot:
        key = id_of(row), str(row["litellm_params"].get("model"))
        slot = self._slots.get(key)
        if slot is None or not slot.is_of(row):
            if len(self._slots) >= _MANY and key not in self._slots:
                self._slots.clear()
            slot = self._slots[key] = Slot(row)
        return slot


def id_of(row: Deployment) -> str:
    """LiteLLM's name for a deployment."""
    return str((row.get("model_info") or {}).get("id"))


def _candidate(row: Deployment, name: str) -> sk.Candidate:
    params, info = row["litellm_params"], row.get("model_info") or {}
    if "api_keys" in params or "api_keys" in row or "api_keys" in info:
        raise sk.ConfigError(
            f"deployment {name!r} of {row.get('model_name')!r}: api_keys: is still a list, and LiteLLM would send it "
            "to the provider; make the model_list with litellm_sparekey.expand_model_list(rows)"
        )
    settings = {key: value for key, value in params.items() if key not in _NOT_SETTINGS and value is not None}
    numbers = {key: params.get(key) for key in ("timeout", "rpm")}
    entry = sk.ModelConfig.model_validate(
        {
            **settings,
            "model_name": name if ENTRY in info else str(row.get("model_name") or name),
            "model": _model(params),
            "api_key": params.get("api_key"),
            "api_base": params.get("api_base") or params.get("base_url"),
            "account": info.get("account"),
            **{key: value for key, value in numbers.items() if isinstance(value, (int, float)) and value > 0},
        }
    )
    (candidate,) = sk.candidates_for(entry.model_name, [entry])
    return candidate


def _model(params: Deployment) -> str:
    """``provider/model``, whichever way LiteLLM was told the provider."""
    model, provider = str(params["model"]), params.get("custom_llm_provider")
    if provider:
        return model if model.startswith(f"{provider}/") else f"{provider}/{model}"
    if "/" in model:
        return model
    try:
        _, provider, *_ = _provider_of(model)
    except Exception:  # LiteLLM does not know the model either; the call will say so
        return model
    return f"{provider}/{model}"


def _provider_of(model: str) -> Sequence[Any]:
    found: Sequence[Any] = litellm.get_llm_provider(model=model)
    return found
