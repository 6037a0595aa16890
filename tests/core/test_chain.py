"""What is particular to one driver: cancellation, timeouts that end a call, and streams after their first chunk."""

from __future__ import annotations

import asyncio
import threading

import pytest

import sparekey as sk


@pytest.fixture
def tracker(clock):
    return sk.CooldownTracker(clock=clock)


@pytest.fixture
def chain(tracker):
    return sk.FallbackChain(tracker)


# -- the caller goes away --------------------------------------------------------------------


async def test_cancellation_stops_at_once_and_blames_nobody(chain, tracker, candidates):
    """A caller who leaves says nothing about any key."""
    asked = []
    under_way = asyncio.Event()

    async def fn(candidate):
        asked.append(candidate)
        under_way.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(chain.aexecute(candidates, fn))
    await under_way.wait()
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert asked == candidates[:1]
    assert tracker.snapshot() == {}


async def test_a_timeout_around_the_call_blames_nobody(chain, tracker, candidates):
    """The caller's own asyncio.timeout is the caller's."""

    async def fn(_candidate):
        await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await chain.aexecute(candidates, fn)
    assert tracker.snapshot() == {}


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_interrupts_pass_straight_through(chain, tracker, candidates, interrupt):
    """Ctrl-C is not a failure of a key."""
    asked = []

    def fn(candidate):
        asked.append(candidate)
        raise interrupt

    with pytest.raises(interrupt):
        chain.execute(candidates, fn)
    assert len(asked) == 1
    assert tracker.snapshot() == {}


# -- time ------------------------------------------------------------------------------------


async def test_a_hanging_key_is_ended_learned_and_passed_over(candidates):
    """attempt_timeout turns a hang into a failure; the next request does not ask that key."""
    tracker = sk.CooldownTracker(sk.Policy(attempt_timeout=0.02))
    chain = sk.FallbackChain(tracker)
    asked = []

    async def fn(candidate):
        asked.append(candidate)
        if candidate == candidates[0]:
            await asyncio.Event().wait()
        return "ok"

    first = await chain.aexecute(candidates, fn)
    second = await chain.aexecute(candidates, fn)

    assert asked == [candidates[0], candidates[1], candidates[1]]
    assert first.attempts[0].reason is sk.Reason.TIMEOUT
    assert isinstance(first.attempts[0].error, sk.AttemptTimeoutError)
    assert second.attempts[0].skipped


async def test_an_async_deadline_ends_the_call_and_blames_nobody(tracker, chain, candidates):
    """The clock stands still here: that the deadline ended the call is known, not guessed."""

    async def fn(_candidate):
        await asyncio.Event().wait()

    with pytest.raises(sk.FallbackExhaustedError, match="the deadline was spent after 1 attempt"):
        await chain.aexecute(candidates, fn, deadline=0.02)
    assert tracker.snapshot() == {}


def test_a_deadline_of_nothing_asks_nobody(chain, candidates):
    """What is left of a spent budget may be 0, which is not a mistake."""
    with pytest.raises(sk.FallbackExhaustedError, match="the deadline was spent after 0 attempts"):
        chain.execute(candidates, lambda _: pytest.fail("asked"), deadline=0)


async def test_200_concurrent_failures_of_one_key_are_one_rung(candidates):
    """All under way together, all throttled: one incident, whatever order they end in."""
    tracker = sk.CooldownTracker()
    chain = sk.FallbackChain(tracker)
    all_in, arrived = asyncio.Event(), []

    async def fn(candidate):
        if candidate == candidates[0]:
            arrived.append(candidate)
            if len(arrived) == 200:
                all_in.set()
            await all_in.wait()
            raise ConnectionResetError
        return "ok"

    await asyncio.gather(*(chain.aexecute(candidates, fn) for _ in range(200)))

    assert tracker.error_count(candidates[0]) == 1
    assert 0 < tracker.remaining(candidates[0]) <= 5


def test_threads_share_one_chain(tracker, chain, candidates, provider_error):
    """Nothing of a request is kept on the chain."""
    answers = []

    def fn(candidate):
        if candidate == candidates[0]:
            raise provider_error(429)
        return threading.get_ident()

    def work():
        answers.append(chain.execute(candidates, fn).response == threading.get_ident())

    threads = [threading.Thread(target=work) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert answers == [True] * 16
    assert tracker.error_count(candidates[0]) == 1


# -- streams ---------------------------------------------------------------------------------


class Source:
    """A stream object like the SDKs': iterable, closeable, and able to break."""

    def __init__(self, chunks, error=None):
        self.chunks, self.error, self.closed = chunks, error, False

    def __iter__(self):
        yield from self.chunks
        if self.error is not None:
            raise self.error

    async def __aiter__(self):
        for chunk in self:
            yield chunk

    def close(self):
        self.closed = True


@pytest.fixture(params=["stream", "astream", "astream of an awaitable"])
def draw(request):
    """Opens a stream and draws some chunks: (chunks, result, error)."""

    async def awaitable(source):
        return source

    async def drawn(chain, candidates, fn, limit, options):
        opens = fn if request.param == "astream" else lambda candidate: awaitable(fn(candidate))
        result = await chain.astream(candidates, opens, **options)
        chunks = []
        try:
            while limit is None or len(chunks) < limit:
                chunks.append(await anext(result.response))
        except StopAsyncIteration:
            pass
        except Exception as error:
            return chunks, result, error
        else:
            await result.response.aclose()
        return chunks, result, None

    def run(chain, candidates, fn, limit=None, **options):
        if request.param != "stream":
            return asyncio.run(drawn(chain, candidates, fn, limit, options))
        result = chain.stream(candidates, fn, **options)
        chunks = []
        try:
            while limit is None or len(chunks) < limit:
                chunks.append(next(result.response))
        except StopIteration:
            pass
        except Exception as error:
            return chunks, result, error
        else:
            result.response.close()
        return chunks, result, None

    return run


def test_a_stream_yields_every_chunk_the_first_included(draw, chain, candidates):
    """What was drawn to see that the stream works is not lost."""
    chunks, result, error = draw(chain, candidates, lambda _: Source([1, 2, 3]))

    assert (chunks, error) == ([1, 2, 3], None)
    assert result.candidate == candidates[0]


def test_a_stream_cut_before_its_first_chunk_fails_over(draw, chain, candidates):
    """Nothing was seen, so nothing has to be unsaid; the broken stream is closed."""
    broken = Source([], ConnectionResetError("cut"))

    chunks, result, _ = draw(chain, candidates, lambda c: broken if c == candidates[0] else Source([1, 2]))

    assert chunks == [1, 2]
    assert [a.reason for a in result.attempts] == [sk.Reason.NETWORK]
    assert broken.closed


def test_a_stream_cut_after_its_first_chunk_raises_and_is_recorded(draw, chain, tracker, candidates):
    """No second answer behind half a first one; but the key is learned."""
    cut = ConnectionResetError("cut")

    chunks, result, error = draw(chain, candidates, lambda _: Source([1, 2], cut))

    assert chunks == [1, 2]
    assert error is cut
    assert "its stream had begun" in error.__notes__[0]
    assert tracker.failure_count(candidates[0], "network") == 1
    assert [a.reason for a in result.attempts] == [sk.Reason.NETWORK]


def test_an_empty_stream_is_a_success(draw, chain, tracker, candidates):
    """A provider that has nothing to say has said it."""
    chunks, result, error = draw(chain, candidates, lambda _: Source([]))

    assert (chunks, error, result.candidate) == ([], None, candidates[0])


def test_commit_holds_chunks_back_until_one_settles(draw, chain, candidates):
    """Empty leading chunks of a stream that then breaks are nobody's loss."""

    def fn(candidate):
        return Source(["", ""], TimeoutError()) if candidate == candidates[0] else Source(["", "hello", "!"])

    chunks, result, _ = draw(chain, candidates, fn, commit=bool)

    assert chunks == ["", "hello", "!"]
    assert result.candidate == candidates[1]


def test_a_stream_that_ends_uncommitted_is_given_out_whole(draw, chain, candidates):
    """It ended well, if with little in it."""
    chunks, _, error = draw(chain, candidates, lambda _: Source(["", ""]), commit=bool)

    assert (chunks, error) == (["", ""], None)


def test_leaving_a_stream_early_closes_it_and_blames_nobody(draw, chain, tracker, candidates):
    """The connection is let go of; the key did its work."""
    source = Source([1, 2, 3])

    chunks, _, error = draw(chain, candidates, lambda _: source, limit=2)

    assert (chunks, error) == ([1, 2], None)
    assert source.closed
    assert tracker.snapshot() == {}


async def test_attempt_timeout_ends_a_stream_only_until_it_commits(candidates):
    """Slow to begin is a failure; slow to go on is a long answer."""
    tracker = sk.CooldownTracker(sk.Policy(attempt_timeout=0.02))
    go_on = asyncio.Event()

    async def fn(candidate):
        if candidate == candidates[0]:
            await asyncio.Event().wait()
        yield 1
        await go_on.wait()
        yield 2

    result = await sk.FallbackChain(tracker).astream(candidates, fn)
    asyncio.get_running_loop().call_later(0.05, go_on.set)

    assert [chunk async for chunk in result.response] == [1, 2]
    assert result.candidate == candidates[1]


# -- images ----------------------------------------------------------------------------------

TOO_LARGE = "image exceeds 5 MB maximum: 7.2 MB > 5 MB"


@pytest.fixture(params=["execute_image", "aexecute_image"])
def image(request):
    """Runs one image request."""

    def run(chain, candidates, fn):
        if request.param == "execute_image":
            return chain.execute_image(candidates, fn)

        async def afn(candidate):
            return fn(candidate)

        return asyncio.run(chain.aexecute_image(candidates, afn))

    return run


def test_classic_images_neither_look_at_cooldowns_nor_write_them(image, clock, candidates):
    """The seed's walk: a cooling key is asked, and every failure, even an unknown one, goes on."""
    tracker = sk.CooldownTracker(sk.Policy.classic(), clock=clock)
    tracker.mark_failure(candidates[0], "auth")
    before = tracker.snapshot()
    asked = []

    def fn(candidate):
        asked.append(candidate)
        if candidate != candidates[2]:
            raise ZeroDivisionError
        return "ok"

    result = image(sk.FallbackChain(tracker), candidates, fn)

    assert asked == candidates
    assert result.candidate == candidates[2]
    assert [a.reason for a in result.attempts] == [None, None]
    assert tracker.snapshot() == before


@pytest.mark.parametrize("text", [TOO_LARGE, "Image dimensions exceed max allowed size: 8000 pixels"])
def test_classic_images_stop_at_one_that_is_too_large(image, candidates, text):
    """Every key would refuse it."""
    asked = []

    def fn(candidate):
        asked.append(candidate)
        raise ValueError(text)

    with pytest.raises(ValueError, match="exceed"):
        image(sk.FallbackChain(policy=sk.Policy.classic()), candidates, fn)
    assert len(asked) == 1


def test_classic_images_exhausted_lists_all(image, candidates):
    """As for chat, but nobody cools, so there is no time to come back."""

    def fn(_candidate):
        raise ZeroDivisionError("boom")

    with pytest.raises(sk.FallbackExhaustedError) as caught:
        image(sk.FallbackChain(policy=sk.Policy.classic()), candidates, fn)
    assert len(caught.value.attempts) == 3
    assert caught.value.retry_after is None


def test_images_keep_their_own_candidate_records_and_share_the_credentials(image, clock, candidates, provider_error):
    """A throttled image model does not cool the chat, a revoked key cools both."""
    tracker = sk.CooldownTracker(clock=clock)
    statuses = {candidates[0]: 429, candidates[1]: 401}

    def fn(candidate):
        if candidate in statuses:
            raise provider_error(statuses[candidate])
        return "ok"

    chain = sk.FallbackChain(tracker)
    assert image(chain, candidates, fn).candidate == candidates[2]
    assert [tracker.is_available(c) for c in candidates] == [True, False, True]
    assert all(a.skipped for a in image(chain, candidates, fn).attempts)
