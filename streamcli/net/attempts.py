"""An answer, whatever it takes: attempts one after the other, under one deadline.

tenacity keeps its state in the object, so each answer has a policy of its own. What was passed on is never passed on
again: after a break the next attempt asks for the rest, or, where nothing has been shown, for all of it anew.
"""

import asyncio
import math
import random
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from streamcli.core.budget import Budget
from streamcli.core.events import AnswerEvent, Delta, Event, Restarted, Resumed, Retry, Stop, Usage
from streamcli.core.limits import in_words
from streamcli.core.prompt import Request
from streamcli.core.resume import Resumption, Seam
from streamcli.core.retry import MAX_WAIT, AttemptFailed, Tally, is_too_long, reported, wait_before_retry
from streamcli.errors import BudgetSpent, DeadlineExceeded, RateLimited
from streamcli.net.gate import Gate, TooLong

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tenacity import RetryCallState

Accepted = Callable[["Mapping[str, str]"], None]
Attempt = Callable[[Request, Accepted], AsyncGenerator[list[Event], None]]
"""One request: yields its events, having called Accepted with the response's headers. Raises AttemptFailed."""


class Taker(Protocol):
    """Who takes the events of an answer."""

    def is_shown(self) -> bool:
        """Whether any of its text is out for good: what is not can begin anew."""

    async def take(self, events: Sequence[AnswerEvent]) -> None:
        """More of it; waits while its reader is slow."""

    def keep(self, events: Sequence[AnswerEvent]) -> None:
        """The last of it, when there is no time to wait."""


# Characters of text a token, about, for an attempt that broke off before the server said how many it was.
CHARS_PER_TOKEN = 4


@dataclass(frozen=True)
class Terms:
    """What an answer may take. `time_limit` is in seconds, 0 is none; `on_break` is what a break after text means.

    With "resume" it goes on where it broke, or begins anew where nothing was shown.
    """

    retries: int
    time_limit: float
    on_break: Literal["resume", "fail"] = "fail"


async def answer(
    attempt: Attempt, taker: Taker, resumption: Resumption, terms: Terms, gate: Gate, budget: Budget | None = None
) -> None:
    """Runs `attempt` until the answer that `resumption` holds is complete, and hands its events over in order.

    Raises the StreamcliError of the attempt that was the last; DeadlineExceeded after the time limit, which begins
    when the first request may go out; RateLimited where that would take longer still.
    """
    ticket = await _first_ticket(gate, terms.time_limit)
    deadline = asyncio.get_running_loop().time() + terms.time_limit if terms.time_limit else None
    try:
        async with asyncio.timeout_at(deadline) as limit:
            await _Attempts(attempt, taker, resumption, terms, gate, budget, deadline, ticket).run()
    except TimeoutError as error:
        if not limit.expired():
            raise
        raise DeadlineExceeded(
            f"no complete answer within --timeout {terms.time_limit:g} s", "raise --timeout, or ask for less"
        ) from error


class _Attempts:
    """The attempts at one answer. `ticket` lets the first one through the gate."""

    def __init__(
        self,
        attempt: Attempt,
        taker: Taker,
        resumption: Resumption,
        terms: Terms,
        gate: Gate,
        budget: Budget | None,
        deadline: float | None,
        ticket: int,
    ) -> None:
        self._attempt = attempt
        self._taker = taker
        self._resumption = resumption
        self._terms = terms
        self._gate = gate
        self._budget = budget
        self._deadline = deadline
        self._ticket: int | None = ticket
        self._clock = asyncio.get_running_loop().time
        self._tally = Tally(terms.retries)
        self._spent = Usage()  # by the attempts that are over
        self._has_text = False  # of this run: what an earlier one left does not count
        self._is_worth_another = False
        self._begins_anew = False
        self._wait = 0.0
        self._last_failure: AttemptFailed | None = None

    async def run(self) -> None:
        import tenacity

        policy = tenacity.AsyncRetrying(
            retry=tenacity.retry_if_exception(lambda _: self._is_worth_another),
            wait=lambda _: self._wait,
            stop=tenacity.stop_never,  # _failed has decided, with more to go by
            before_sleep=self._say,
            sleep=asyncio.sleep,
            reraise=True,
        )
        try:
            await policy(self._once)
        except AttemptFailed as failed:
            there_is_text = self._resumption.size > 0
            raise reported(failed, there_is_text=there_is_text, wait=self._wait) from failed
        finally:
            if self._ticket is not None:
                self._gate.leave(self._ticket)

    async def _once(self) -> None:
        self._is_worth_another = False
        if self._ticket is None:
            self._ticket = await self._next_ticket()
        before = self._gate.accepted_count
        try:
            await self._request()
        except AttemptFailed as failed:
            self._failed(failed, others_got_through=self._gate.accepted_count > before)
            raise
        finally:
            ticket, self._ticket = self._ticket, None
            if ticket is not None:
                self._gate.leave(ticket)

    async def _next_ticket(self) -> int:
        """Meanwhile another request of the run may have found out that nothing is allowed for long."""
        remaining = math.inf if self._deadline is None else self._deadline - self._clock()
        try:
            return await self._gate.enter(min(MAX_WAIT, remaining))
        except TooLong as error:
            self._wait = error.seconds
            last = self._last_failure
            assert last is not None
            raise AttemptFailed(last.error, retryable=True, retry_after=error.seconds, status=last.status) from error

    async def _request(self) -> None:
        if self._budget is not None and (clause := self._budget.spent()):
            raise BudgetSpent(clause)
        self._tally.started()
        request, seam = self._resumption.next_request()
        passage = _Passage(self._resumption, seam)
        ticket = self._ticket
        assert ticket is not None
        usage = Usage()
        try:
            async with aclosing(self._attempt(request, lambda headers: self._gate.accepted(ticket, headers))) as lists:
                async for events in lists:
                    usage = next((event for event in reversed(events) if isinstance(event, Usage)), usage)
                    if passed := [self._totalled(event) for event in passage.feed(events)]:
                        await self._taker.take(passed)
        except BaseException:
            self._taker.keep(passage.flush())
            raise
        finally:
            self._has_text = self._has_text or passage.has_text
            if passage.has_text and self._taker.is_shown():
                self._tally.progressed()
            self._account(request.model, usage, passage.characters)

    def _totalled(self, event: AnswerEvent) -> AnswerEvent:
        return self._spent + event if isinstance(event, Usage) else event

    def _account(self, model: str, usage: Usage, characters: int) -> None:
        """What the attempt cost. One that broke off had not said how much it wrote."""
        if usage == Usage() and not characters:
            return
        written = max(usage.output_tokens, characters // CHARS_PER_TOKEN)
        usage = Usage(usage.input_tokens, written, usage.cache_read_tokens, usage.cache_write_tokens)
        self._spent += usage
        if self._budget is not None:
            self._budget.add(model, usage)

    def _failed(self, failed: AttemptFailed, *, others_got_through: bool) -> None:
        """Decides whether there is another attempt, and when."""
        if failed.status == 400 and self._resumption.prefill_refused():
            self._is_worth_another, self._wait = True, 0.0  # asked in another way
            return
        self._last_failure = failed
        self._begins_anew = bool(self._resumption.size) and not self._taker.is_shown()
        failures = self._tally.failed(excused=failed.status == 429 and others_got_through)
        self._wait = wait_before_retry(failed, failures, random.random())
        if failed.is_for_all and failed.retryable:
            assert self._ticket is not None
            self._gate.refused(self._ticket, self._wait)
        self._wait = max(self._wait, self._gate.blocked_for())
        refused_all = self._gate.barren_rounds if failed.is_for_all else 0
        if not failed.retryable or self._tally.is_used_up(refused_all) or not self._may_go_on():
            return
        remaining = None if self._deadline is None else self._deadline - self._clock()
        self._is_worth_another = not is_too_long(self._wait, remaining)

    def _may_go_on(self) -> bool:
        """Whether a break is not the end: there is nothing yet, or its rest can be had, or it may begin anew."""
        if self._has_text and self._terms.on_break == "fail":
            return False
        return self._begins_anew or self._resumption.is_possible

    async def _say(self, state: "RetryCallState") -> None:
        failed = state.outcome.exception() if state.outcome is not None else None
        if not isinstance(failed, AttemptFailed):
            return
        error = failed.error
        events: list[AnswerEvent] = [Retry(error.message, self._wait, self._tally.attempts + 1, error.request_id)]
        if self._begins_anew:
            self._begins_anew = False
            self._resumption.restart()
            events.append(Restarted())
        await self._taker.take(events)


class _Passage:
    """One attempt's events on their way out: its text through the seam, and the text so far kept up."""

    def __init__(self, resumption: Resumption, seam: Seam) -> None:
        self._resumption = resumption
        self._seam = seam
        self._start = resumption.size
        self._is_said = not self._start
        self.has_text = False
        self.characters = 0
        """Of text that the server sent."""

    def feed(self, events: Sequence[Event]) -> list[AnswerEvent]:
        passed: list[AnswerEvent] = []
        for event in events:
            if isinstance(event, Delta):
                self.characters += len(event.text)
                passed += self._texts(self._seam.feed(event.text, 0.0))
            elif isinstance(event, Stop):
                passed += [*self._texts(self._seam.flush()), *self._said(), event]
            else:
                passed.append(event)
        return passed

    def flush(self) -> list[AnswerEvent]:
        """The attempt broke off: what the seam still holds was received all the same."""
        return self._texts(self._seam.flush())

    def _texts(self, texts: Sequence[str]) -> list[AnswerEvent]:
        passed: list[AnswerEvent] = []
        for text in texts:
            passed += self._said()
            self._resumption.received(text)
            self.has_text = True
            passed.append(Delta(text))
        return passed

    def _said(self) -> list[AnswerEvent]:
        """Once: that the answer is continued, and where."""
        if self._is_said:
            return []
        self._is_said = True
        return [Resumed(self._start, self._resumption.how, self._seam.repeated)]


async def _first_ticket(gate: Gate, time_limit: float) -> int:
    """The wait for it does not count against the time limit, but is no longer than that would be."""
    try:
        return await gate.enter(min(MAX_WAIT, time_limit or MAX_WAIT))
    except TooLong as error:
        what = "the server's rate limit allows no request for now"
        raise RateLimited(what, f"try again in {in_words(error.seconds)}") from error
