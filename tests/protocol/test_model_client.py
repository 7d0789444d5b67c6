"""The sidecar's end of the model worker, against workers that crash, hang, lie, and drown it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from pathlib import Path

import psutil
import pytest
import pytest_asyncio

from tacit.server.errors import ModelUnavailable
from tacit.server.model.client import ModelClient, Patience
from tacit.server.model.messages import Done, Load, Proposed
from tacit.server.model.prompts import Asked, Preset, Question

PEER = Path(__file__).with_name("model_peer.py")
LOAD = Load("x.gguf", 512, 8, 32, 1)
PRESET = Preset("plain", "{state}>")
QUESTION = Question((Asked((), "⊢ p"),))
QUICK = Patience(load=20.0, silence=20.0, grace=20.0, again=0.0)
IMPATIENT = Patience(load=20.0, silence=0.3, grace=0.3, again=0.0)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


Make = Callable[..., ModelClient]


@pytest_asyncio.fixture
async def make(tmp_path: Path) -> AsyncIterator[Make]:
    clients = []

    def client(behaviour: str, patience: Patience = QUICK, clock: Callable[[], float] | None = None) -> ModelClient:
        command = (sys.executable, str(PEER), behaviour, str(tmp_path / "starts"))
        made = ModelClient(LOAD, command, patience, *([clock] if clock else []))
        clients.append(made)
        return made

    yield client
    for each in clients:
        await each.aclose()
    assert [each for each in psutil.Process().children(recursive=True) if str(PEER) in _command(each)] == []


def _command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def starts(tmp_path: Path) -> int:
    return (tmp_path / "starts").stat().st_size if (tmp_path / "starts").exists() else 0


async def texts(client: ModelClient, count: int = 4) -> list[str]:
    return [each.text async for each in client.generate(PRESET, QUESTION, count) if isinstance(each, Proposed)]


async def failure(client: ModelClient) -> tuple[list[str], str]:
    """What came before it failed, and what it said."""
    found: list[str] = []

    async def listen() -> None:
        async for each in client.generate(PRESET, QUESTION, 4):
            found.extend([each.text] if isinstance(each, Proposed) else [])

    with pytest.raises(ModelUnavailable) as caught:
        await listen()
    return found, str(caught.value)


async def test_it_is_started_on_first_use_and_once(make: Make, tmp_path: Path) -> None:
    client = make("fine")
    assert client.status().state == "not started"
    assert starts(tmp_path) == 0
    assert [await texts(client), await texts(client)] == [["simp 1"], ["simp 2"]]
    assert starts(tmp_path) == 1
    assert client.status().state == "ready"


async def test_requests_at_once_are_answered_one_after_another(make: Make, tmp_path: Path) -> None:
    client = make("loads slowly")
    found = await asyncio.gather(*(texts(client) for _ in range(5)))
    assert sorted(each for some in found for each in some) == [f"simp {number}" for number in range(1, 6)]
    assert starts(tmp_path) == 1


@pytest.mark.parametrize(
    ("behaviour", "said"),
    [
        ("crashes", "ended by itself (SIGSEGV: GGML_ASSERT(false) failed)"),
        ("half a message", "ended by itself (status 0)"),
        ("hangs", "did not answer any more and was ended"),
        ("garbage", "answered with something that is no message"),
        ("floods", "answered with something that is no message (more answers than asked for)"),
        ("for another", "answered with something that is no message (Proposed for another request)"),
    ],
)
async def test_a_worker_that_fails_costs_that_answer_only(
    make: Make, tmp_path: Path, behaviour: str, said: str
) -> None:
    client = make(f"{behaviour},fine", IMPATIENT)
    found, sentence = await failure(client)
    assert found[:1] == ["simp 1"]
    assert said in sentence
    assert client.status().state == "failed"
    assert await texts(client) == ["simp 2"]
    assert starts(tmp_path) == 2
    assert (client.status().state, client.status().restarts) == ("ready", 1)


async def test_a_processor_without_the_instructions_it_announces(make: Make, tmp_path: Path) -> None:
    client = make("knows only plain instructions")
    assert "SIGILL" in (await failure(client))[1]
    assert await texts(client) == ["simp 2"]
    assert starts(tmp_path) == 2


async def test_a_worker_that_died_while_idle_is_started_again_unseen(make: Make, tmp_path: Path) -> None:
    client = make("dies when idle,fine")
    assert await texts(client) == ["simp 1"]
    process = client._worker
    assert process is not None
    await process._process.wait()
    assert await texts(client) == ["simp 2"]
    assert starts(tmp_path) == 2


@pytest.mark.parametrize(
    ("behaviour", "said"),
    [
        ("dies at once", "status 3: libllama.so: cannot open shared object file"),
        ("silent", "did not answer any more"),
        ("refuses", "x.gguf is no GGUF file. Models for Tacit end in .gguf."),
    ],
)
async def test_a_worker_that_does_not_load_says_why(make: Make, behaviour: str, said: str) -> None:
    client = make(behaviour, Patience(load=0.5 if behaviour == "silent" else 20.0, again=0.0))
    assert said in (await failure(client))[1]
    assert said in client.status().sentence


async def test_a_program_that_is_not_there_says_so() -> None:
    client = ModelClient(LOAD, ("/nowhere/python",), QUICK)
    assert "could not be started" in (await failure(client))[1]
    await client.aclose()


async def test_it_is_started_again_later_each_time(make: Make, tmp_path: Path) -> None:
    clock = Clock()
    client = make("crashes", Patience(load=20.0, silence=20.0, again=1.0, longest=4.0), clock)
    for number, wait in enumerate((1.0, 2.0, 4.0, 4.0), start=1):
        assert "SIGSEGV" in (await failure(client))[1]
        assert starts(tmp_path) == number
        clock.now += wait - 0.5
        assert "It is tried again in" in (await failure(client))[1]
        assert starts(tmp_path) == number
        clock.now += 0.5


async def test_an_answer_ends_the_waiting(make: Make) -> None:
    clock = Clock()
    client = make("crashes,fine,crashes", Patience(load=20.0, silence=20.0, again=1.0), clock)
    await failure(client)
    clock.now += 1.0
    await texts(client)
    assert client._failures == 0


async def test_a_slow_worker_that_says_so_is_waited_for(make: Make) -> None:
    assert await texts(make("slow", IMPATIENT)) == ["simp 1"]


async def test_what_it_writes_to_standard_error_does_not_hold_it_up(make: Make) -> None:
    assert await texts(make("noisy")) == ["simp 1"]


async def test_a_request_that_fails_leaves_the_worker(make: Make, tmp_path: Path) -> None:
    client = make("fails")
    assert await failure(client) == (["simp 1"], "The goal is too long for the model. Try less.")
    assert await texts(client) == ["simp 2"]
    assert starts(tmp_path) == 1


# ---------------------------------------------------------------- cancelling


async def test_closing_early_cancels_and_the_worker_stays(make: Make, tmp_path: Path) -> None:
    client = make("until cancelled,fine")
    async with aclosing(client.generate(PRESET, QUESTION, 4)) as stream:
        assert isinstance(await anext(stream), Proposed)
    async with aclosing(client.generate(PRESET, QUESTION, 4)) as stream:
        first = await anext(stream)
        assert isinstance(first, Proposed)
        assert first.text == "simp 2"
    assert starts(tmp_path) == 1


async def test_a_task_that_is_cancelled_cancels_and_the_worker_stays(make: Make, tmp_path: Path) -> None:
    client = make("until cancelled")
    await client.load()
    task = asyncio.create_task(texts(client))
    await asyncio.sleep(0.2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with aclosing(client.generate(PRESET, QUESTION, 4)) as stream:
        assert isinstance(await anext(stream), Proposed)
    assert starts(tmp_path) == 1


async def test_a_worker_that_does_not_stop_is_killed_with_its_children(make: Make, tmp_path: Path) -> None:
    client = make("hangs with a child,fine", Patience(load=20.0, silence=20.0, grace=0.2, again=100.0))
    async with aclosing(client.generate(PRESET, QUESTION, 4)) as stream:
        await anext(stream)
        second = await anext(stream)
        assert isinstance(second, Proposed)
        child = int(second.text.split()[1])
        assert psutil.pid_exists(child)
    assert await texts(client) == ["simp 2"]  # no failure: it is not waited for
    assert starts(tmp_path) == 2
    assert not psutil.pid_exists(child) or psutil.Process(child).status() == psutil.STATUS_ZOMBIE


async def test_giving_up_while_it_loads_does_not_take_it_from_the_next(make: Make, tmp_path: Path) -> None:
    client = make("loads slowly")
    task = asyncio.create_task(texts(client))
    await asyncio.sleep(0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await texts(client) == ["simp 1"]
    assert starts(tmp_path) == 1


@pytest.mark.parametrize("behaviour", ["hangs", "silent", "until cancelled", "floods"])
async def test_closing_leaves_nothing_behind(make: Make, behaviour: str) -> None:
    client = make(behaviour)
    task = asyncio.create_task(texts(client))
    await asyncio.sleep(0.3)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await client.aclose()
    with pytest.raises(ModelUnavailable, match="was stopped"):
        await texts(client)


async def test_the_last_report_says_what_it_took(make: Make) -> None:
    client = make("fine")
    found = [each async for each in client.generate(PRESET, QUESTION, 4)]
    assert found[-1] == Done(1, generated=2)
