"""The real model worker with a random llama: loads, answers, is cancelled, says what it cannot load."""

from __future__ import annotations

import asyncio
import os
import re
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
import pytest_asyncio

from tacit.server.errors import ModelUnavailable
from tacit.server.model.client import ModelClient, Patience
from tacit.server.model.messages import Done, Load, Proposed
from tacit.server.model.prompts import Asked, Preset, Question
from tests.tiny_gguf import write_tiny

PRESET = Preset("plain", "{state}\n", one_line=False)
QUESTION = Question((Asked(("p q : Prop", "h : p ∧ q"), "⊢ q ∧ p"),))
Make = Callable[[Load], ModelClient]


@pytest_asyncio.fixture
async def make() -> AsyncIterator[Make]:
    clients = []

    def client(load: Load) -> ModelClient:
        clients.append(ModelClient(load, patience=Patience(load=120.0, silence=60.0, grace=60.0, again=0.0)))
        return clients[-1]

    yield client
    for each in clients:
        await each.aclose()


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny(tmp_path_factory.mktemp("model") / "tiny.gguf")


@pytest.fixture(scope="module")
def data(tiny: Path) -> bytes:
    return tiny.read_bytes()


def load(path: Path) -> Load:
    return Load(str(path), 512, 8, 24, 1)


def size(text: str) -> int:
    """Tokens of a prompt of the random llama: one to begin with, one a byte, three for a space (`▁`)."""
    return 1 + len(text.replace(" ", "▁").encode())


async def refusal(client: ModelClient) -> str:
    with pytest.raises(ModelUnavailable) as caught:
        await client.load()
    return str(caught.value)


@pytest.mark.model
async def test_it_loads_and_answers(make: Make, tiny: Path) -> None:
    client = make(load(tiny))
    loaded = await client.load()
    assert (loaded.name, loaded.architecture, loaded.context) == ("tiny", "llama", 512)
    reports = [each async for each in client.generate(PRESET, QUESTION, 8)]
    proposed = [each for each in reports[:-1] if isinstance(each, Proposed)]
    done = reports[-1]
    assert isinstance(done, Done)
    assert 0 < len(proposed) <= 8
    assert len({each.text for each in proposed}) == len(proposed) == len(reports) - 1
    assert all(each.log_prob < 0 and 0 < each.tokens <= 24 for each in proposed)
    # Eight answers, and yet the prompt was read once.
    assert (done.prompt, done.reused) == (size(f"{QUESTION.goals[0].text}\n"), 0)
    again = [each async for each in client.generate(PRESET, QUESTION, 8)]
    last = again[-1]
    assert isinstance(last, Done)
    assert last.reused == last.prompt
    assert [replace(each, id=1) for each in again[:-1] if isinstance(each, Proposed)] == proposed


@pytest.mark.model
async def test_what_begins_alike_is_not_read_again(make: Make, tiny: Path) -> None:
    client = make(load(tiny))
    other = Question((Asked(("p q : Prop", "h : p ∧ q"), "⊢ q"),))
    reused = []
    for question in (QUESTION, other, QUESTION):
        done = [each async for each in client.generate(PRESET, question, 2)][-1]
        assert isinstance(done, Done)
        reused.append(done.reused)
    alike = size("p q : Prop\nh : p ∧ q\n⊢ q")
    assert reused == [0, alike, alike]


@pytest.mark.model
async def test_what_is_asked_is_cut_to_what_the_model_was_trained_for(make: Make, tiny: Path) -> None:
    client = make(replace(load(tiny), context=4096))
    many = Question((Asked(tuple(f"h{at} : p{at}" for at in range(200)), "⊢ p199"),))
    told: list[str] = []
    reports = [each async for each in client.generate(PRESET, many, 2, told=told.append)]
    done = reports[-1]
    assert isinstance(done, Done)
    assert client.status().loaded is not None
    assert 400 < done.prompt <= 512 - 24, "it was trained for 512 tokens, and the answer takes 24"
    assert told == [done.notice]
    assert re.fullmatch(r"\d+ of 200 hypotheses did not fit into the model's context\.", done.notice)


@pytest.mark.model
async def test_it_stops_when_it_is_told_to(make: Make, tiny: Path) -> None:
    client = make(replace(load(tiny), tokens=400))
    long = Preset("endless", "{state}")
    async with aclosing(client.generate(long, QUESTION, 8)) as stream:
        task = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(0.05)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert [each async for each in client.generate(PRESET, QUESTION, 2, tokens=8)]
    assert client.status().restarts == 0


@pytest.mark.model
async def test_a_worker_that_is_killed_in_the_middle_is_started_again(make: Make, tiny: Path) -> None:
    client = make(load(tiny))
    await client.load()
    worker = client._worker
    assert worker is not None
    os.kill(worker._process.pid, signal.SIGSTOP)  # so that it is surely in the middle of the request

    async def ask() -> list[object]:
        return [each async for each in client.generate(PRESET, QUESTION, 8)]

    task = asyncio.create_task(ask())
    await asyncio.sleep(0.1)
    os.kill(worker._process.pid, signal.SIGSEGV)
    os.kill(worker._process.pid, signal.SIGCONT)
    with pytest.raises(ModelUnavailable, match=r"ended by itself \(SIGSEGV"):
        await task
    assert await ask()
    assert client.status().restarts == 1


@pytest.mark.model
async def test_its_memory_is_limited(make: Make, tiny: Path) -> None:
    client = make(load(tiny))
    await client.load()
    worker = client._worker
    assert worker is not None
    limit, _ = psutil.Process(worker._process.pid).rlimit(psutil.RLIMIT_AS)
    assert 4 << 30 < limit < 64 << 30
    small = make(replace(load(tiny), memory_mib=64))
    assert re.search(r"not enough memory|does not load|ended by itself", await refusal(small))


@pytest.mark.model
async def test_it_ends_when_the_sidecar_does(tiny: Path) -> None:
    client = ModelClient(load(tiny))
    await client.load()
    worker = client._worker
    assert worker is not None
    assert worker._process.stdin is not None
    worker._process.stdin.close()
    assert await worker._process.wait() == 0
    await client.aclose()


@pytest.mark.model
async def test_a_prompt_that_is_too_long_costs_the_answer_only(make: Make, tiny: Path) -> None:
    client = make(load(tiny))
    with pytest.raises(ModelUnavailable, match="The goal is too long for the model: its target alone takes"):
        assert [each async for each in client.generate(PRESET, Question((Asked((), "⊢ " + "p" * 600),)), 2)]
    cut = Question((Asked(tuple(f"h{number} : a = {number}" for number in range(60)), "⊢ q"),))
    done = [each async for each in client.generate(PRESET, cut, 2)][-1]
    assert isinstance(done, Done)
    assert "hypotheses did not fit" in done.notice
    assert done.prompt <= 512 - 24


@pytest.mark.model
async def test_an_architecture_that_llama_cpp_does_not_know(make: Make, tmp_path: Path) -> None:
    path = write_tiny(tmp_path / "new.gguf", architecture="mamba9")
    said = await refusal(make(load(path)))
    assert "is of the architecture mamba9, which the llama.cpp here does not know. A newer llama-cpp-python" in said


@pytest.mark.model
async def test_a_file_whose_tensors_do_not_fit_together(make: Make, data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "odd.gguf"
    path.write_bytes(data.replace(b"blk.3.ffn_up.weight", b"blk.3.ffn_xx.weight"))
    said = await refusal(make(load(path)))
    assert said.startswith(f"llama.cpp cannot load {path}: ")
    assert "blk.3.ffn_up.weight" in said


async def test_a_file_that_cannot_be_used_is_refused_before_llama_cpp_sees_it(make: Make, tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    assert f"There is no model file {path}" in await refusal(make(load(path)))
    path.write_bytes(b"GGML" + bytes(1000))
    assert f"{path} is no GGUF file" in await refusal(make(load(path)))


async def test_a_file_that_was_not_copied_whole(make: Make, data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(data[:-1000])
    assert f"The model file {path} is cut off" in await refusal(make(load(path)))
    path.write_bytes(data[:3000])
    assert f"The model file {path} is damaged, or was not copied whole" in await refusal(make(load(path)))


async def test_without_llama_cpp_it_says_how_to_get_it(
    make: Make, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "llama_cpp.py").write_text('raise ImportError("No module named llama_cpp")\n', encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))  # found before what is installed
    assert 'pip install "lean-tacit[model]"' in await refusal(make(load(tiny)))
