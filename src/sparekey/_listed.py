"""What a chain has of a model list: it is given one, finds candidates in it, and takes another while it runs."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

from sparekey._config import ModelConfig
from sparekey._keys import Entry
from sparekey._load import load_config
from sparekey._models import Models
from sparekey._types import Candidate
from sparekey._watch import ConfigWatch


class Listed:
    """Has a model list, or none yet."""

    def __init__(self, models: Iterable[Entry] | None) -> None:
        self._models = Models(models)

    def reload(self, models: Iterable[Entry]) -> None:
        """Exchange the model list, in one step, while requests are under way.

        Those end with the candidates they began with. What is known of a key stays, since it is known by
        fingerprint: one that is in both lists goes on cooling, one that comes back later is remembered until then.

        Args:
            models: entries, expanded or not, as :func:`sparekey.expand_model_list` takes them.

        Raises:
            ConfigError: the list cannot work; nothing has changed.
        """
        self._models.exchange(models)

    def watch(self, path: str | os.PathLike[str], *, every: float | None = 1.0) -> ConfigWatch:
        """Take the model list from a file, now and whenever the file changes, for as long as the chain lives.

        Args:
            path: the file, as :func:`sparekey.load_config` reads it.
            every: as for :class:`sparekey.ConfigWatch`.

        Raises:
            ConfigError: the file cannot be used now. Later it is a warning, and the list there is stays in use.
        """
        entries = load_config(path)
        self.reload(entries)
        return ConfigWatch(path, self.reload, entries=entries, every=every)

    def candidates_for(self, name: str) -> Sequence[Candidate]:
        """Who is tried for a name in the model list, in order.

        Raises:
            ConfigError: nothing is called so, or there is no list.
        """
        return self._models.now.candidates(name)

    def config_for(self, candidate: Candidate) -> ModelConfig:
        """The entry behind a candidate: its key, its address, all that ``fn`` needs to make the call.

        A request that began before a :meth:`reload` finds what was dropped by it, too.

        Raises:
            ConfigError: no entry of the model list is this candidate's.
        """
        return self._models.config_for(candidate)
