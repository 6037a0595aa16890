"""A state, looked at from outside the programs that share it."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Annotated, Self, TypeVar

import typer

import sparekey as sk
from sparekey._cooldown import Record, after_success
from sparekey._secrets import text_of
from sparekey.state import _codec
from sparekey.state._places import place_of

StateOption = Annotated[
    str | None,
    typer.Option(
        "--state",
        envvar="SPAREKEY_STATE",
        show_default=False,
        help="Where it is kept: sqlite:///file.db, redis://host:6379/0, or a reference such as os.environ/NAME.",
    ),
]

_POLICY = sk.Policy()

T = TypeVar("T")


class State:
    """What is kept at a place. Nothing is waited for in the background: each call goes there.

    Raises:
        ConfigError: no state is given, or it cannot be looked at from outside.
    """

    def __init__(self, state: str | None) -> None:
        if not state:
            raise sk.ConfigError("state: say where it is kept: --state URL, or the variable SPAREKEY_STATE")
        place = place_of(state)
        if place is None:
            raise sk.ConfigError(
                "state: memory:// is each program's own and cannot be looked at from outside: give the state that your "
                "programs share, or print tracker.snapshot() in them"
            )
        self._store = place.store()
        self._is_open = False

    @property
    def name(self) -> str:
        """Where it is, without a password."""
        return self._store.name

    def read(self) -> dict[str, Record]:
        """The records that have something to say, by id.

        Raises:
            SparekeyError: the place cannot be used.
        """
        return self._do(self._read)

    def forget(self, records: dict[str, Record]) -> None:
        """Take back what ``records`` say, so that every program sees it.

        Raises:
            SparekeyError: the place cannot be used.
        """
        now = time.time()
        kept = [
            _codec.kept(key, after_success(record, None, now), _POLICY.forget_after) for key, record in records.items()
        ]
        self._do(lambda: self._store.save(kept))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._is_open = False
        with suppress(Exception):
            self._store.close()

    def _read(self) -> dict[str, Record]:
        now, longest = time.time(), _codec.longest(_POLICY)
        found = {kept.id: _codec.read(kept, now, longest)[0] for kept in self._store.load()}
        return {key: record for key, record in sorted(found.items()) if record.live}

    def _do(self, what: Callable[[], T]) -> T:
        try:
            if not self._is_open:
                self._check_file()
                self._store.open()
                self._is_open = True
            return what()
        except sk.SparekeyError as error:
            said = str(error)
        except Exception as error:
            said = f"{type(error).__name__}: {text_of(error)}"
        self.__exit__(None, None, None)  # the next call begins anew
        raise sk.ConfigError(f"state {self.name}: {sk.scrub(said)}")

    def _check_file(self) -> None:
        """See that there is a file: who looks at one must not make one."""
        path = Path(self.name.removeprefix("sqlite:///"))
        if self.name.startswith("sqlite:///") and not path.is_file():
            raise sk.ConfigError("there is no such file, so nothing has been written there yet")
