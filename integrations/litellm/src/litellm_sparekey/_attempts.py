"""LiteLLM's call of one deployment, made one for each key that is worth trying: a walk."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from litellm.litellm_core_utils.streaming_handler import CustomStreamWrapper

from litellm_sparekey._current import Current, enter
from litellm_sparekey._stream import drawn, resumed

if TYPE_CHECKING:
    from litellm_sparekey._strategy import SparekeyRoutingStrategy
    from litellm_sparekey._walk import Walk

Begin = Callable[[], "tuple[SparekeyRoutingStrategy, Walk] | None"]
"""A walk for the call that begins now; None where sparekey is not to meddle."""


def walked(call: Callable[..., Any], begin: Begin) -> Callable[..., Any]:
    """A sync ``call`` that picks a deployment and asks it, once for each key; its streams come with a beginning."""
    drawing = drawn(call)

    @functools.wraps(call)
    def walk_the_group(*args: Any, **kwargs: Any) -> Any:
        if (begun := begin()) is None:
            return call(*args, **kwargs)
        with _under_way(*begun) as walk:
            while True:
                try:
                    answer = drawing(*args, **kwargs)
                except Exception as error:
                    final = walk.failed(error)
                    if final is error:
                        raise
                else:
                    walk.succeeded()
                    walk.tell(answer)
                    return answer
                if final is not None:
                    raise final

    return walk_the_group


def walked_async(call: Callable[..., Any], begin: Begin) -> Callable[..., Any]:
    """:func:`walked` for an async ``call``, which draws its streams itself; those of chats are watched from here."""

    async def walk_the_group(*args: Any, **kwargs: Any) -> Any:
        if (begun := begin()) is None:
            return await call(*args, **kwargs)
        with _under_way(*begun) as walk:
            while True:
                try:
                    answer = await call(*args, **kwargs)
                    if isinstance(answer, CustomStreamWrapper):
                        answer = resumed(answer, broke=walk.watch())
                except Exception as error:
                    final = walk.failed(error)
                    if final is error:
                        raise
                else:
                    walk.succeeded()
                    walk.tell(answer)
                    return answer
                if final is not None:
                    raise final

    return walk_the_group


@contextmanager
def _under_way(strategy: SparekeyRoutingStrategy, walk: Walk) -> Iterator[Walk]:
    """For whoever is called in the midst of it, until it is over; who goes away blames nobody."""
    end = enter(Current(strategy, walk))
    try:
        yield walk
    except Exception:
        raise
    except BaseException:
        walk.abandoned()
        raise
    finally:
        end()
