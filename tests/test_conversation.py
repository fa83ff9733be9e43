"""A conversation as the commands use it: in memory, and on disk beside other processes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest
from agents import Agent

from streamcli.commands.conversation import Conversation
from streamcli.commands.kept import KeptSession
from streamcli.config import ChatSettings
from streamcli.core.content import Image, Text
from streamcli.core.events import AnswerEvent, Delta, Restarted, Stop
from streamcli.core.history import CUT, Exchange
from streamcli.core.prompt import SYSTEM_PROMPTS
from streamcli.errors import InputError, RequestRefused, StreamBroken, StreamcliError
from streamcli.store.answers import Answers

SETTINGS = ChatSettings(verb="chat", model="a-model")
QUICK = 10.0  # seconds, at most, for what takes a moment


class Notes:
    def __init__(self) -> None:
        self.said: list[str] = []
        self.heard = asyncio.Event()

    def notice(self, text: str) -> None:
        self.said.append(text)
        self.heard.set()

    def detail(self, text: str) -> None:
        self.said.append(text)


class Outlet:
    """Takes what comes; its end waits until `may_end`."""

    def __init__(self) -> None:
        self.got_something = asyncio.Event()
        self.may_end = asyncio.Event()
        self.may_end.set()

    def is_shown(self) -> bool:
        return True

    def before_request(self) -> None:
        pass

    async def events(self, events: Sequence[AnswerEvent]) -> None:
        self.got_something.set()

    def push(self, events: Sequence[AnswerEvent]) -> None:
        self.got_something.set()

    async def end(self, error: StreamcliError | None, *, more: bool) -> None:
        await self.may_end.wait()

    def abort(self) -> None:
        pass


class Model:
    """Answers with `events`, then fails with `error` if there is one; remembers what it was asked."""

    def __init__(self) -> None:
        self.requests = []
        self.events: list[AnswerEvent] = [Delta("Yes"), Delta("."), Stop("end_turn")]
        self.error: BaseException | None = None
        self.outlet = Outlet()

    async def ask(self, request, open_outlet, more, notes) -> None:
        outlet = open_outlet(SimpleNamespace(key=request.key()))
        self.requests.append(request)
        await outlet.events(self.events)
        if self.error is not None:
            raise self.error
        await outlet.end(None, more=more())

    def asked(self, number: int = -1) -> list[object]:
        return [content for _, content in self.requests[number].messages]


@pytest.fixture
def model() -> Model:
    return Model()


@pytest.fixture
def notes() -> Notes:
    return Notes()


@pytest.fixture
def answers(tmp_path: Path) -> Iterator[Answers]:
    with closing(Answers(tmp_path)) as answers:
        yield answers


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[Callable[[], Agent]]:
    """Another process with the sessions of the same folder."""
    made: list[Agent] = []

    def start() -> Agent:
        made.append(Agent(tmp_path))
        made[-1].do("answers = Answers(folder); kept = answers.sessions()")
        return made[-1]

    yield start
    for each in made:
        each.kill()


def on_disk(answers: Answers, notes: Notes, settings: ChatSettings = SETTINGS) -> Conversation:
    sessions = answers.sessions()
    return Conversation(settings, None, notes, kept=KeptSession(sessions, sessions.make("work", settings.model)))


async def say(conversation: Conversation, model: Model, notes: Notes, question="Hi") -> None:
    await conversation.turn(question, model.ask, lambda page: model.outlet, lambda: False, notes)


@pytest.fixture(params=["in memory", "on disk"])
def conversation(request, notes: Notes, answers: Answers) -> Conversation:
    return on_disk(answers, notes) if request.param == "on disk" else Conversation(SETTINGS, None, notes)


# --- turns ---


async def test_a_turn_is_asked_with_what_was_said_before(conversation, model, notes):
    await say(conversation, model, notes, "One?")
    await say(conversation, model, notes, "Two?")
    assert model.asked() == ["One?", "Yes.", "Two?"]
    assert conversation.exchanges == [Exchange("One?", "Yes."), Exchange("Two?", "Yes.")]
    assert model.requests[0].system == SYSTEM_PROMPTS["chat"]


async def test_files_stay_files(conversation, model, notes):
    question = (Text("What is this?"), Image("a.png", "image/png", "AAAA"))
    await say(conversation, model, notes, question)
    await say(conversation, model, notes, "And?")
    assert model.asked() == [question, "Yes.", "And?"]


async def test_an_embedded_model_gets_the_names_of_what_it_cannot_read(conversation, model, notes):
    question = (Image("a.png", "image/png", "AAAA"), Text("file", "b.txt"), Text("What is this?"))
    await say(conversation, model, notes, question)
    conversation.model = "local"
    await say(conversation, model, notes, "And?")
    await say(conversation, model, notes, "And then?")
    assert model.asked(1) == [(Text("[a.png]"), *question[1:]), "Yes.", "And?"]
    assert notes.said == ["local reads text only: of what went along before it gets the name: a.png"]
    with pytest.raises(InputError, match=r"local does not take a\.png"):
        await say(conversation, model, notes, question)
    conversation.model = "a-model"
    await say(conversation, model, notes, "And now?")
    assert model.asked()[0] == question


async def test_model_and_system_prompt_hold_from_the_next_turn_on(conversation, model, notes):
    await say(conversation, model, notes)
    conversation.model, conversation.system = "another", "Be brief."
    await say(conversation, model, notes)
    assert [(request.model, request.system) for request in model.requests] == [
        ("a-model", SYSTEM_PROMPTS["chat"]),
        ("another", "Be brief."),
    ]


@pytest.mark.parametrize(
    ("events", "error", "expected"),
    [
        ([Delta("Half")], StreamBroken("broken"), Exchange("Hi", "Half", is_cut=True)),
        ([Delta("Half")], asyncio.CancelledError(), Exchange("Hi", "Half", is_cut=True)),
        ([Delta("Half")], ZeroDivisionError(), Exchange("Hi", "Half", is_cut=True)),
        ([], asyncio.CancelledError(), Exchange("Hi", "", is_cut=True)),
        ([], RequestRefused("no"), None),
        ([Delta("Ha"), Restarted()], RequestRefused("no"), None),
        ([Delta("Ha"), Restarted(), Delta("All")], None, Exchange("Hi", "All")),
        ([Stop("end_turn")], None, Exchange("Hi", "")),
        ([Delta("All"), Stop("end_turn")], asyncio.CancelledError(), Exchange("Hi", "All")),
        ([Delta("Half"), Stop("max_tokens")], None, Exchange("Hi", "Half", is_cut=True)),
        ([Delta("I"), Stop("refusal")], None, Exchange("Hi", "I", is_refused=True)),
    ],
)
async def test_what_becomes_of_a_turn(events, error, expected, conversation, model, notes):
    model.events, model.error = events, error
    if error is None:
        await say(conversation, model, notes)
    else:
        with pytest.raises(type(error)):
            await say(conversation, model, notes)
    assert conversation.exchanges == ([expected] if expected else [])
    conversation.refresh()
    assert conversation.exchanges == ([expected] if expected else [])


async def test_undo_takes_the_last_exchange_back(conversation, model, notes):
    assert await conversation.undo() is None
    await say(conversation, model, notes, "One?")
    await say(conversation, model, notes, "Two?")
    assert await conversation.undo() == Exchange("Two?", "Yes.")
    await say(conversation, model, notes, "Three?")
    assert model.asked() == ["One?", "Yes.", "Three?"]


async def again(conversation: Conversation, model: Model, notes: Notes) -> None:
    await conversation.turn_again(model.ask, lambda page: model.outlet, lambda: False, notes)


@pytest.mark.parametrize(
    ("events", "error"),
    [
        ([], RequestRefused("no")),
        ([], asyncio.CancelledError()),
        ([Stop("end_turn")], None),
        ([Delta("I"), Stop("refusal")], None),
    ],
)
async def test_what_is_asked_again_in_vain_stays_as_it_was(events, error, conversation, model, notes):
    await say(conversation, model, notes, "One?")
    await say(conversation, model, notes, "Two?")
    before = list(conversation.exchanges)
    model.events, model.error = events, error
    for _ in range(2):
        if error is None:
            await again(conversation, model, notes)
        else:
            with pytest.raises(type(error)):
                await again(conversation, model, notes)
        assert model.asked() == ["One?", "Yes.", "Two?"]
        assert conversation.exchanges == before
        assert not conversation.was_kept
    conversation.refresh()
    assert conversation.exchanges == before


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([Delta("No."), Stop("end_turn")], Exchange("Two?", "No.")),
        ([Delta("N"), Stop("max_tokens")], Exchange("Two?", "N", is_cut=True)),
    ],
)
async def test_the_words_of_what_is_asked_again_take_its_place(events, expected, conversation, model, notes):
    await say(conversation, model, notes, "One?")
    await say(conversation, model, notes, "Two?")
    model.events = events
    await again(conversation, model, notes)
    await again(conversation, model, notes)
    assert model.asked() == ["One?", "Yes.", "Two?"]
    assert conversation.exchanges == [Exchange("One?", "Yes."), expected]
    conversation.refresh()
    assert conversation.exchanges == [Exchange("One?", "Yes."), expected]


async def test_without_a_question_none_is_asked_again(conversation, model, notes):
    with pytest.raises(InputError):
        await again(conversation, model, notes)
    assert model.requests == []


async def test_clear_begins_anew(conversation, model, notes):
    await say(conversation, model, notes)
    await conversation.clear()
    assert conversation.exchanges == []
    await say(conversation, model, notes, "New")
    assert model.asked() == ["New"]


async def test_undo_goes_back_beyond_what_is_sent(notes, answers, model):
    settings = ChatSettings(verb="chat", model="a-model", max_history=0)
    conversation = on_disk(answers, notes, settings)
    for question in ("1", "2", "3"):
        await say(conversation, model, notes, question)
    assert [(await conversation.undo()).question for _ in range(3)] == ["3", "2", "1"]
    assert await conversation.undo() is None


# --- from memory to disk ---


async def test_save_as_makes_a_session_of_it(notes, answers, model):
    async def sessions():
        return answers.sessions()

    conversation = Conversation(SETTINGS, "Be brief.", notes, sessions=sessions)
    await say(conversation, model, notes, "One?")
    assert conversation.name is None
    await conversation.save_as("work")
    assert conversation.name == "work"
    await say(conversation, model, notes, "Two?")
    kept = answers.sessions()
    session = kept.find("work")
    assert (session.model, session.system) == ("a-model", "Be brief.")
    assert [each.exchange.question for each in kept.read(session.id, 0)] == ["One?", "Two?"]
    with pytest.raises(InputError):
        await conversation.save_as("again")
    for name in ("work", "a/b", "-x", ""):
        with pytest.raises(InputError):
            await Conversation(SETTINGS, None, notes, sessions=sessions).save_as(name)
    empty = Conversation(SETTINGS, None, notes, sessions=sessions)
    await empty.save_as("empty")
    await say(empty, model, notes, "Now")
    assert kept.find("empty")


# --- beside other processes ---


async def test_the_session_is_free_as_soon_as_the_answer_is_complete(notes, answers, agent, model):
    """Not only when a slow reader has seen its end."""
    conversation = on_disk(answers, notes)
    other = agent()
    model.outlet.may_end.clear()
    turn = asyncio.create_task(say(conversation, model, notes))
    await model.outlet.got_something.wait()
    assert other.ask("kept.take(1)")
    assert other.ask("[each.state for each in kept.read(1, 0)]") == ["complete"]
    model.outlet.may_end.set()
    await turn


async def test_a_wait_that_is_given_up_leaves_the_session_to_others(notes, answers, agent, model):
    conversation = on_disk(answers, notes)
    holder, other = agent(), agent()
    assert holder.ask("kept.take(1)")
    for _ in range(3):
        turn = asyncio.create_task(say(conversation, model, notes))
        await notes.heard.wait()
        notes.heard.clear()
        turn.cancel()
        with pytest.raises(asyncio.CancelledError):
            await turn
    holder.do("kept.let_go(1)")
    async with asyncio.timeout(QUICK):
        await asyncio.to_thread(other.do, "kept.wait(1)")
    assert other.ask("kept.take(1)")
    other.do("kept.let_go(1)")
    async with asyncio.timeout(QUICK):
        await say(conversation, model, notes)
    assert len(model.requests) == 1


async def test_who_waits_gets_it_and_keeps_it(notes, answers, agent, model):
    conversation = on_disk(answers, notes)
    holder = agent()
    assert holder.ask("kept.take(1)")
    model.outlet.may_end.clear()
    model.events = [Delta("Half")]
    turn = asyncio.create_task(say(conversation, model, notes))
    await notes.heard.wait()
    assert notes.said == ["session work is in use by another process: waiting"]
    holder.do("kept.let_go(1)")
    async with asyncio.timeout(QUICK):
        await model.outlet.got_something.wait()
    assert not holder.ask("kept.take(1)")
    model.outlet.may_end.set()
    await turn
    assert holder.ask("kept.take(1)")


async def test_what_another_process_said_is_known(notes, answers, agent, model):
    conversation = on_disk(answers, notes)
    await say(conversation, model, notes, "Mine")
    other = agent()
    other.do("from streamcli.core.history import Exchange")
    other.do("row = kept.begin(kept.get(1), 'Theirs', 'key'); kept.close(row, Exchange('Theirs', 'Oh', True))")
    await say(conversation, model, notes, "Mine too")
    assert model.asked() == ["Mine", "Yes.", "Theirs", f"Oh\n\n{CUT}", "Mine too"]
