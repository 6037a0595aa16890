"""A policy written down: the ``sparekey_settings`` of a config file, or the same as a mapping."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, create_model

from sparekey._documents import read_document
from sparekey._policy import Action, Ladder, Policy, Rule, Selection
from sparekey._problems import problems_of
from sparekey._types import Reason, Scope
from sparekey.errors import ConfigError

SECTION = "sparekey_settings"

Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class _Strict(BaseModel):
    # Before its version 2.10 pydantic warns of every field that begins with "model_", as a reason does.
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, protected_namespaces=())


class _Row(_Strict):
    """What may be said of one reason."""

    action: Action | None = None
    scope: Scope | None = None
    cooldown: Seconds | None = None
    """The same number of seconds every time."""
    first: Seconds | None = None
    factor: Annotated[float, Field(ge=1, allow_inf_nan=False)] | None = None
    cap: Seconds | None = None


def _one_word(value: Any) -> Any:
    """``overloaded: next_model`` is short for ``overloaded: {action: next_model}``."""
    return {"action": value} if isinstance(value, str) else value


_Rows = create_model(
    "_Rows",
    __base__=_Strict,
    **{reason.value: (Annotated[_Row | None, BeforeValidator(_one_word)], None) for reason in Reason},  # type: ignore[call-overload]
)


class _Settings(_Strict):
    """What may be said of a policy; what is not said stays as it is."""

    policy: Literal["default", "classic"] = "default"
    max_wait: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    attempt_timeout: Seconds | None = None
    selection: Selection | None = None
    last_resort: bool | None = None
    half_open: bool | None = None
    spares_sick_endpoints: bool | None = None
    reasons: _Rows | None = None  # type: ignore[valid-type]  # made from the list of reasons, above


def policy_from(settings: Mapping[str, Any], where: str = SECTION) -> Policy:
    """The policy that ``settings`` describe.

    For example ``{"max_wait": 10, "reasons": {"billing": {"cooldown": 60}, "overloaded": "next_model"}}``.
    A reason may be given an ``action``, a ``scope``, a ladder (``first``, ``factor``, ``cap``) or one ``cooldown``,
    all times in seconds. ``policy: classic`` starts from :meth:`Policy.classic`.

    Raises:
        ConfigError: one line that begins with ``where`` and names the field.
    """
    if not isinstance(settings, Mapping):
        raise ConfigError(f"{where}: must be a mapping of settings")
    try:
        said = _Settings.model_validate(settings)
    except ValidationError as error:
        problems = problems_of(error)
    else:
        return _built(said)
    raise ConfigError(f"{where}.{'; '.join(problems)}")


def load_policy(path: str | Path) -> Policy:
    """The policy in a config file's ``sparekey_settings``; the default one when there are none.

    Raises:
        ConfigError: one line that names the file and the field.
    """
    file = Path(path)
    document = read_document(file)
    settings = document.get(SECTION) if isinstance(document, dict) else None
    return Policy() if settings is None else policy_from(settings, f"{file}: {SECTION}")


def _built(said: _Settings) -> Policy:
    policy = Policy.classic() if said.policy == "classic" else Policy()
    plain = said.model_dump(exclude={"policy", "reasons"}, exclude_none=True)
    policy = replace(policy, **plain)
    for reason in Reason:
        row: _Row | None = getattr(said.reasons, reason.value, None)
        if row is not None:
            policy = policy.with_rule(reason, **_changes(reason, row, policy.rule(reason)))
    return policy


def _changes(reason: Reason, row: _Row, rule: Rule) -> dict[str, Any]:
    changes: dict[str, Any] = row.model_dump(include={"action", "scope"}, exclude_none=True)
    if row.cooldown is not None:
        changes["ladder"] = Ladder(reason.value, row.cooldown, 1.0, row.cooldown)
    elif row.first is not None or row.factor is not None or row.cap is not None:
        base = rule.ladder or Ladder(reason.value, 30.0, 2.0, 3600.0)
        first = row.first if row.first is not None else base.first
        factor = row.factor if row.factor is not None else base.factor
        # A ladder of its own, by name: what was changed for one reason is not climbed by the others.
        changes["ladder"] = Ladder(reason.value, first, factor, row.cap if row.cap is not None else base.cap)
    if "ladder" in changes and "action" not in changes and rule.action is Action.STOP:
        changes["action"] = Action.NEXT_CANDIDATE
    return changes
