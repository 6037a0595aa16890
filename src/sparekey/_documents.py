"""Reading YAML, JSON and TOML files, with errors that say where and show nothing."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sparekey.errors import ConfigError


def read_document(file: Path) -> Any:
    """What a YAML, JSON or TOML file says.

    Raises:
        ConfigError: one line that names the file and the place; it does not quote the file.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        problem = "is not a text file in UTF-8"
    except OSError as error:
        problem = f"cannot be read: {error.strerror}"
    else:
        return _parsed(text, file)
    raise ConfigError(f"{file}: {problem}")  # out here, or Python would keep the file's bytes beside it


def _parsed(text: str, file: Path) -> Any:
    match file.suffix.lower():
        case ".json":
            return _json(text, file)
        case ".toml":
            return _toml(text, file)
        case ".yaml" | ".yml":
            return _yaml(text, file)
        case other:
            raise ConfigError(
                f"{file}: cannot tell what {other or 'a file without an ending'} is; use .yaml, .json or .toml"
            )


# A parser's own message may quote the line it stumbled on, and a key with it; only the place is kept.


def _json(text: str, file: Path) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_once)
    except json.JSONDecodeError as error:
        at = f"{file}:{error.lineno}:{error.colno}: not valid JSON: {error.msg}"
    except _TwiceError as error:
        at = f"{file}: {error}"
    except RecursionError:
        at = f"{file}: not valid JSON: it is nested too deeply"
    except ValueError:
        at = f"{file}: not valid JSON: a number in it is too long"
    raise ConfigError(at)


class _TwiceError(ValueError):
    """A name stands twice in one mapping; the second would silently win."""

    def __init__(self, name: object) -> None:
        super().__init__(f"{name}: is given twice in one mapping")


def _once(pairs: Iterable[tuple[Any, Any]]) -> dict[Any, Any]:
    found: dict[Any, Any] = {}
    for name, value in pairs:
        if name in found:
            raise _TwiceError(name)
        found[name] = value
    return found


def _toml(text: str, file: Path) -> Any:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = f", at {str(error).rpartition('(at ')[2].rstrip(')')}"
    except RecursionError:
        place = ": it is nested too deeply"
    except ValueError:
        place = ": a number in it is too long"
    raise ConfigError(f"{file}: not valid TOML{place}")


def _yaml(text: str, file: Path) -> Any:
    try:
        import yaml
    except ImportError:
        raise ConfigError(f"{file}: reading YAML needs PyYAML: pip install 'sparekey[yaml]'") from None

    class Loader(yaml.SafeLoader):
        """YAML's own loader keeps the last of two equal names without a word."""

        def compose_mapping_node(self, anchor: Any) -> Any:
            node = super().compose_mapping_node(anchor)
            seen: set[str] = set()
            for key, _ in node.value:
                if isinstance(key, yaml.ScalarNode) and key.tag != "tag:yaml.org,2002:merge":
                    if key.value in seen:
                        twice = f"{key.value} is given twice"
                        raise yaml.composer.ComposerError(None, None, twice, key.start_mark)
                    seen.add(key.value)
            return node

    try:
        return yaml.load(text, Loader=Loader)  # noqa: S506 - a SafeLoader, only stricter
    except RecursionError:
        place, what = "", "it is nested too deeply"
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f":{mark.line + 1}:{mark.column + 1}" if mark is not None else ""
        # A name it quotes ("found undefined alias …") may be a key in the wrong place.
        what = re.sub(r"'[^'<]{4,}'", "'…'", getattr(error, "problem", None) or "it cannot be read")
    except (ValueError, TypeError, AttributeError, ArithmeticError):
        place, what = "", "a value in it is not what its tag or look says"
    raise ConfigError(f"{file}{place}: not valid YAML: {what}")
