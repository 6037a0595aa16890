"""Data flows one way: who may import what, read from the sources themselves."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import sparekey

ROOT = Path(__file__).parent.parent
CORE = ROOT / "src" / "sparekey"
ADAPTERS = {"langchain": "langchain_sparekey", "litellm": "litellm_sparekey"}

# From the bottom up; a module imports only from lines above its own.
LAYERS = [
    ["_types", "_secrets", "_clock"],
    ["errors"],
    ["_policy", "_credentials", "_references", "_documents", "_problems"],
    ["_seal"],
    ["_cooldown", "_config", "_classify", "_images", "_stream", "_settings"],
    ["_memory", "_view", "_log", "_limits", "_usage", "_keys", "_meant"],
    ["_rank", "_judge", "_candidates"],
    ["_bench"],
    ["_walk"],
    ["_run"],
    ["state"],
    ["_tracker", "_time_left", "_load", "_models"],
    ["_watch"],
    ["_listed"],
    ["_chain"],
    ["__init__"],
    ["simulator", "testing"],
    ["cli"],
]
NOT_PURE = {"_clock", "_references", "_classify"}
PURE = [name for line in LAYERS[: LAYERS.index(["_run"]) + 1] for name in line if name not in NOT_PURE]
IMPURE = {"time", "asyncio", "threading", "logging", "os", "random"}


def files(module):
    """The source files of one module of the core."""
    path = CORE / module
    return sorted(path.rglob("*.py")) if path.is_dir() else [CORE / f"{module}.py"]


def imports(path, *, of_names=False):
    """What a file imports, anywhere in it: module names, or (module, name) pairs."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {(alias.name, None) for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found |= {(node.module, alias.name) for alias in node.names}
    return found if of_names else {module for module, _ in found}


def layer_of(module):
    """The line a ``sparekey.x`` import reaches."""
    name = module.split(".")[1] if "." in module else "__init__"
    return next(i for i, line in enumerate(LAYERS) if name in line)


def test_every_module_of_the_core_has_its_place():
    """A new module is put into the picture, not beside it."""
    there = {p.stem for p in CORE.glob("*.py")} | {p.name for p in CORE.iterdir() if (p / "__init__.py").exists()}

    assert there == {name for line in LAYERS for name in line}


@pytest.mark.parametrize("module", [name for line in LAYERS for name in line])
def test_a_module_imports_only_from_below(module):
    """Types and rules know nothing of what is built on them."""
    own = next(i for i, line in enumerate(LAYERS) if module in line)
    for path in files(module):
        for imported in imports(path):
            inside = imported.split(".")[1:2] == [module]
            if imported.split(".")[0] == "sparekey" and not inside:
                assert layer_of(imported) < own, f"{path.relative_to(ROOT)} imports {imported}"


@pytest.mark.parametrize("module", PURE)
def test_a_pure_module_touches_no_clock_thread_log_or_dice(module):
    """Decisions are functions of what they are given, time included."""
    for path in files(module):
        impure = {name.split(".")[0] for name in imports(path)} & IMPURE
        assert not impure, f"{path.relative_to(ROOT)} imports {impure}"


@pytest.mark.parametrize("folder", ADAPTERS)
def test_an_adapter_uses_public_names_only_and_no_other_adapter(folder):
    """What an adapter can do, anybody's own adapter can."""
    package = ADAPTERS[folder]
    others = set(ADAPTERS.values()) - {package}
    for path in sorted((ROOT / "integrations" / folder / "src" / package).rglob("*.py")):
        where = path.relative_to(ROOT)
        for module, name in imports(path, of_names=True):
            top, *rest = module.split(".")
            assert top not in others, f"{where} imports {module}"
            if top == "sparekey":
                assert not any(part.startswith("_") for part in rest), f"{where} imports {module}"
                assert name is None or rest or name in sparekey.__all__, f"{where} imports {name} from {module}"
        private = [
            node
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id in {"sk", "sparekey"}
            and node.attr not in {*sparekey.__all__, "__version__"}
        ]
        assert not private, f"{where}:{private[0].lineno} uses sparekey.{private[0].attr}"


def test_the_core_knows_no_adapter_and_no_host():
    """LangChain and LiteLLM come to the core, never the other way."""
    for path in CORE.rglob("*.py"):
        hosts = {name.split(".")[0] for name in imports(path)} & {
            *ADAPTERS.values(),
            "langchain_core",
            "langchain",
            "litellm",
            "openai",
        }
        assert not hosts, f"{path.relative_to(ROOT)} imports {hosts}"


def test_nothing_shadows_the_real_litellm():
    """An ``integrations/litellm/__init__.py`` on a path would be imported in its stead."""
    assert not (ROOT / "integrations" / "litellm" / "__init__.py").exists()
