"""An answer, whatever it takes: attempts one after the other, under one deadline.

tenacity keeps its state in the object, so each answer has a policy of its own. What has been emitted is never emitted
again: once there is text, a break is an error.
"""

import asyncio
import random
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING

from streamcli.core.events import Delta, Event, Retry
from streamcli.core.retry import AttemptFailed, gives_up, reported, wait_before_retry
from streamcli.errors import DeadlineExceeded

if TYPE_CHECKING:
    from tenacity import RetryCallState

Attempt = Callable[[], AsyncGenerator[list[Event], None]]
Emit = Callable[[Sequence[Event | Retry]], Awaitable[None]]


async def answer(attempt: Attempt, emit: Emit, *, retries: int, time_limit: float) -> None:
    """Runs `attempt` until one completes, and emits its events in the order of their coming.

    Raises the StreamcliError of the attempt that was the last; DeadlineExceeded after `time_limit` seconds (0: never).
    """
    deadline = asyncio.get_running_loop().time() + time_limit if time_limit else None
    try:
        async with asyncio.timeout_at(deadline) as limit:
            await _retry(attempt, emit, retries, deadline)
    except TimeoutError as error:
        if not limit.expired():
            raise
        raise DeadlineExceeded(
            f"no complete answer within --timeout {time_limit:g} s", "raise --timeout, or ask for less"
        ) from error


async def _retry(attempt: Attempt, emit: Emit, retries: int, deadline: float | None) -> None:
    import tenacity

    clock = asyncio.get_running_loop().time
    text_was_emitted = False

    async def run_once() -> None:
        nonlocal text_was_emitted
        async with aclosing(attempt()) as lists:
            async for events in lists:
                text_was_emitted = text_was_emitted or any(isinstance(event, Delta) for event in events)
                await emit(events)

    def is_worth_another(error: BaseException) -> bool:
        return isinstance(error, AttemptFailed) and error.retryable and not text_was_emitted

    def wait(state: "RetryCallState") -> float:
        failed = _failure(state)
        return wait_before_retry(failed, state.attempt_number, random.random()) if failed else 0.0

    def stop(state: "RetryCallState") -> bool:
        remaining = None if deadline is None else deadline - clock()
        return gives_up(state.attempt_number, retries, state.upcoming_sleep, remaining)

    async def say(state: "RetryCallState") -> None:
        failed = _failure(state)
        if failed is not None:
            error = failed.error
            await emit([Retry(error.message, state.upcoming_sleep, state.attempt_number + 1, error.request_id)])

    policy = tenacity.AsyncRetrying(
        retry=tenacity.retry_if_exception(is_worth_another),
        wait=wait,
        stop=stop,
        before_sleep=say,
        sleep=asyncio.sleep,
        reraise=True,
    )
    try:
        await policy(run_once)
    except AttemptFailed as failed:
        raise reported(failed, text_was_emitted) from failed


def _failure(state: "RetryCallState") -> AttemptFailed | None:
    error = state.outcome.exception() if state.outcome is not None else None
    return error if isinstance(error, AttemptFailed) else None
