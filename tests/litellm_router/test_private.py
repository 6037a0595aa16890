"""What LiteLLM does not document and sparekey goes by: named in one place, and looked for before it is used."""

from __future__ import annotations

import ast
import importlib
from importlib.metadata import version
from pathlib import Path

import litellm
import pytest

import litellm_sparekey
import sparekey as sk
from litellm_sparekey import _private, expand_model_list, install, uninstall

PACKAGE = Path(litellm_sparekey.__file__).parent
OWN = {path.stem for path in PACKAGE.glob("*.py")}


@pytest.fixture
def router(provider, entry):
    sim = provider({"sk-a": "healthy"})
    built = litellm.Router(model_list=expand_model_list([entry(sim, ["sk-a"])]))
    yield built
    uninstall(built)
    getattr(built, "retire", built.discard)()


def tables(router):
    """Everything that is looked for in the generation at hand: an owner, and a name of its."""
    core = vars(router).get(_private.CORE, router)
    for module, names in _private.MODULES.items():
        yield from ((importlib.import_module(module), name) for name in names)
    if not type(core).__module__.startswith("litellm.router_rust"):
        yield from ((type(core), name) for name in _private.PYTHON_ROUTER)
        return
    yield from ((type(core), name) for name in _private.RUST_CORE)
    beside = importlib.import_module(type(core).__module__)
    yield from ((getattr(beside, kind), name) for kind, names in _private.RUST_MODULE.items() for name in names)
    yield from ((type(vars(core)[part]), name) for part, names in _private.RUST_PARTS.items() for name in names)
    for module, names in _private.RUST_MODULES.items():
        yield from ((importlib.import_module(module), name) for name in names)


def test_whatever_is_missing_is_named_and_nothing_is_changed(router, monkeypatch):
    """Each name of the tables by itself: a release without it is refused, not served badly."""
    before = {name: id(value) for name, value in vars(vars(router).get(_private.CORE, router)).items()}
    looked_for = list(tables(router))
    assert len(looked_for) > 10

    for owner, name in looked_for:
        with monkeypatch.context() as patched:
            patched.setattr(owner, name, None)
            with pytest.raises(sk.ConfigError, match=name) as caught:
                install(router)
        assert str(caught.value).startswith(f"LiteLLM {version('litellm')} ")
        assert "\n" not in str(caught.value)

    after = {name: id(value) for name, value in vars(vars(router).get(_private.CORE, router)).items()}
    assert after == before


def test_no_other_module_goes_by_a_private_name():
    """Of LiteLLM's objects: what begins with an underscore, and is neither sparekey's own nor in a table."""
    named = {
        *_private.PYTHON_ROUTER,
        *_private.RUST_CORE,
        *_private.RUST_PARTS,
        *_private.RUST_MODULE,
        *(name for names in (*_private.RUST_PARTS.values(), *_private.RUST_MODULE.values()) for name in names),
    }
    for path in PACKAGE.glob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        defined = {
            node.name
            for node in ast.walk(tree)
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
        }
        for node in ast.walk(tree):
            if not isinstance(node, ast.Attribute) or not node.attr.startswith("_") or node.attr.startswith("__"):
                continue
            of_self = isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")
            assert of_self or node.attr in named | defined, f"{path.name}:{node.lineno} goes by {node.attr}"
