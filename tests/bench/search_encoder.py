"""Makes the default encoder's adapter out of an index of Mathlib: `search_encoder.py INDEX.db OUT.npz`.

Pairs of a question and a premise come from Mathlib alone: what its docstrings, its modules' introductions, its names
and its statements say of the same declaration. The passage of a pair lacks, as a rule, what its question was made of.
A batch holds neighbours from the same files, so that the model learns to tell alike lemmas apart. What is trained are
small matrices that are added to the weights of the layers (Hu et al.: LoRA, 2021), with the contrastive loss of
sentence-transformers (every other passage of the batch is wrong). Files named by `--without`, and one in fifty besides,
are held out. Needs torch (the extra `encoders`) and `--minutes` of all cores.
"""
# ruff: noqa: TID253 - nothing imports this file: it needs torch and starts no server

from __future__ import annotations

import argparse
import json
import math
import random
import re
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as functional
from safetensors.torch import load_file
from tokenizers import Tokenizer

from tacit.index.onnx_encoder import CONFIG, TOKENIZER, WEIGHTS, packaged_model
from tacit.index.premise import Kind, Origin
from tacit.index.store import Store, Stored
from tacit.retrieval.passage import SAID, hypotheses, name_text, spoken, statement_text

RANK = 16
GROUP, GROUPS = 8, 12
LONGEST_QUESTION, LONGEST_PASSAGE = 32, 60
AT_ONCE = 32
RATE = 8e-4
SHARPNESS = 20.0
KEPT = 0.5
"""Share of what was learned that is kept: halfway between the model as it was and as it is now, more of what it knew of
English is left than is lost of Mathlib (Wortsman et al.: Robust fine-tuning of zero-shot models, 2022)."""
LETTERS = "abcdefghijkmnpqrstuvwxyzABCFGHKMNRSTUVWX"
LINEAR = (
    *("attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense"),
    *("intermediate.dense", "output.dense"),
)


# ---------------------------------------------------------------- pairs


def examples(index: Path, held_out: set[str]) -> tuple[list[list[Stored]], list[Stored]]:
    """Groups of neighbours to learn from, and the documented premises of other held-out files to look at."""
    store = Store.open(index)
    files: dict[str, list[Stored]] = defaultdict(list)
    for each in store.all():
        if each.premise.origin is Origin.SOURCE and each.premise.kind is not Kind.INSTANCE and not each.premise.private:
            files[each.premise.module].append(each)
    store.close()
    rng = random.Random(0)
    groups, aside = [], []
    for number, (module, found) in enumerate(sorted(files.items())):
        if module in held_out:
            continue
        if number % 50 == 0:
            aside += found
            continue
        kept = [each for each in found if each.premise.doc or each.note or rng.random() < 0.35]
        groups += [kept[start : start + GROUP] for start in range(0, len(kept), GROUP)]
    return [each for each in groups if len(each) > 2], aside


_BOLD = re.compile(r"\*\*([^*]{4,80})\*\*")
_SENTENCE = re.compile(r"(?<=[.:;])\s+")


def pair(stored: Stored, rng: random.Random) -> tuple[str, str]:
    """A question about a premise, and its passage without what would give the question away."""
    premise, note = stored.premise, stored.note
    said = premise.doc or note
    name, statement = name_text(premise.name), statement_text(premise)
    last = name_text(premise.name.rpartition(".")[2])
    kind = rng.random()
    with_name, with_said, with_statement = True, bool(said), True
    if said and kind < 0.6:
        source = note if note and premise.doc and rng.random() < 0.4 else said
        bold = _BOLD.search(source)
        if bold and rng.random() < 0.5:
            question = bold[1]
            with_said = rng.random() < 0.5
        else:
            sentences = _SENTENCE.split(source)
            question = sentences[0] if rng.random() < 0.6 else source[: rng.choice((120, 200, 300))]
            with_said = source is not said
        question = re.sub(re.escape(premise.name.rpartition(".")[2]), " ", question)
        question = spoken(question)
        with_name = rng.random() < 0.8
    elif kind < (0.85 if said else 0.6):
        question = statement_question(stored, rng)
        with_statement = rng.random() < 0.5
        with_name = with_name and (not with_statement or rng.random() < 0.7)
    else:
        question = last if len(last.split()) > 2 and rng.random() < 0.6 else name
        with_name = rng.random() < 0.3
    parts = [name] if with_name else []
    if with_said:
        parts.append(spoken(said[:600])[:SAID])
    if with_statement or not parts:
        parts.append(statement)
    words = question.split()
    if len(words) > 4 and rng.random() < 0.4:
        words = [each for each in words if rng.random() > 0.15]
    return " ".join(words) or name, ". ".join(parts)


def statement_question(stored: Stored, rng: random.Random) -> str:
    """The statement as somebody else may write it: other letters, turned round, without its hypotheses."""
    premise = stored.premise
    body = premise.type or premise.value or premise.statement
    if premise.kind is not Kind.THEOREM and premise.value:
        body = premise.value if rng.random() < 0.7 else f"{premise.type} {premise.value}"
    body = body[:300]
    sides = body.split(" = ")
    if len(sides) == 2 and rng.random() < 0.2:
        body = f"{sides[1]} = {sides[0]}"
    conditions = hypotheses(premise.binders)
    if conditions and rng.random() < 0.5:
        some = ", ".join(conditions[:3])
        body = f"{some} → {body}" if rng.random() < 0.5 else f"{body} for {some}"
    if rng.random() < 0.4:
        body = body.replace(" * ", " ").replace(" • ", " ")
    if rng.random() < 0.5:
        letters = sorted(set(re.findall(r"(?<![\w.])[a-zA-Zα-ω](?![\w.])", body)))[: len(LETTERS)]
        others = dict(zip(letters, rng.sample(LETTERS, len(letters)), strict=False))
        body = re.sub(r"(?<![\w.])[a-zA-Zα-ω](?![\w.])", lambda match: others.get(match[0], match[0]), body)
    return spoken(body)


# ---------------------------------------------------------------- the model


class Model(torch.nn.Module):  # type: ignore[misc, unused-ignore]
    """The encoder with its adapter: token ids in, unit vectors out."""

    def __init__(self, weights: dict[str, torch.Tensor], config: dict[str, Any]) -> None:
        super().__init__()
        self.heads, self.layers = config["num_attention_heads"], config["num_hidden_layers"]
        self.epsilon = config["layer_norm_eps"]
        self.weights = {name: value.float() for name, value in weights.items() if value.is_floating_point()}
        self.cast = {name: value.bfloat16() for name, value in self.weights.items() if value.dim() == 2}
        self.down, self.up = torch.nn.ParameterDict(), torch.nn.ParameterDict()
        torch.manual_seed(0)
        for layer in range(self.layers):
            for part in LINEAR:
                name = f"encoder.layer.{layer}.{part}"
                out, into = self.weights[name + ".weight"].shape
                key = name.replace(".", "/")
                self.down[key] = torch.nn.Parameter(torch.randn(RANK, into) / math.sqrt(into))
                self.up[key] = torch.nn.Parameter(torch.zeros(out, RANK))

    def linear(self, state: torch.Tensor, name: str) -> torch.Tensor:
        key = name.replace(".", "/")
        plain = functional.linear(state, self.cast[name + ".weight"], self.weights[name + ".bias"].bfloat16())
        return plain + functional.linear(functional.linear(state, self.down[key].bfloat16()), self.up[key].bfloat16())

    def normed(self, state: torch.Tensor, name: str) -> torch.Tensor:
        weight, bias = self.weights[name + ".weight"], self.weights[name + ".bias"]
        return functional.layer_norm(state.float(), (state.shape[-1],), weight, bias, self.epsilon).bfloat16()

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        texts, length = ids.shape
        state = self.weights["embeddings.word_embeddings.weight"][ids]
        state = state + self.weights["embeddings.position_embeddings.weight"][:length]
        state = state + self.weights["embeddings.token_type_embeddings.weight"][0]
        state = self.normed(state, "embeddings.LayerNorm")
        unseen = ((mask[:, None, None, :] - 1) * 1e9).bfloat16()
        for layer in range(self.layers):
            at = f"encoder.layer.{layer}."
            query, key, value = (
                self.linear(state, at + "attention.self." + each).view(texts, length, self.heads, -1).transpose(1, 2)
                for each in ("query", "key", "value")
            )
            # By hand: in 16 bits torch's own attention takes 2.6 times as long on a processor.
            seen = query @ key.transpose(-1, -2) / math.sqrt(query.shape[-1]) + unseen
            mixed = (seen.softmax(-1) @ value).transpose(1, 2).reshape(texts, length, -1)
            attended = self.linear(mixed, at + "attention.output.dense")
            state = self.normed(attended + state, at + "attention.output.LayerNorm")
            wide = functional.gelu(self.linear(state, at + "intermediate.dense"))
            state = self.normed(self.linear(wide, at + "output.dense") + state, at + "output.LayerNorm")
        total = (state.float() * mask[:, :, None]).sum(1)
        return functional.normalize(total, dim=-1)

    def adapter(self) -> dict[str, Any]:
        found = {}
        for key in self.down:
            name = key.replace("/", ".")
            found[name + ".down"] = self.down[key].detach().numpy().astype(np.float16)
            found[name + ".up"] = (KEPT * self.up[key].detach().numpy()).astype(np.float16)
        return found


class Batcher:
    """Texts to vectors, in their order; those of like length go through the model together."""

    def __init__(self, rules: Path) -> None:
        self.tokenizer = Tokenizer.from_file(str(rules))
        self.tokenizer.no_padding()
        self.tokenizer.no_truncation()

    def __call__(self, model: Model, texts: list[str], longest: int) -> torch.Tensor:
        found = [each.ids for each in self.tokenizer.encode_batch_fast(texts)]
        found = [each if len(each) <= longest else [*each[: longest - 1], each[-1]] for each in found]
        order = sorted(range(len(found)), key=lambda number: len(found[number]))
        made = []
        for start in range(0, len(order), AT_ONCE):
            some = order[start : start + AT_ONCE]
            ids = torch.zeros(len(some), len(found[some[-1]]), dtype=torch.long)
            mask = torch.zeros(ids.shape)
            for row, number in enumerate(some):
                ids[row, : len(found[number])] = torch.tensor(found[number])
                mask[row, : len(found[number])] = 1
            made.append(model(ids, mask))
        return torch.cat(made)[torch.tensor(order).argsort()]


def looked_at(model: Model, batch: Batcher, aside: list[Stored]) -> str:
    """How often the right premise of the held-out files is among ten for a question of each sort."""
    rng = random.Random(1)
    some = rng.sample([each for each in aside if each.premise.doc], min(500, len(aside)))
    others = rng.sample(aside, min(2500, len(aside)))
    pool = list({each.id: each for each in [*some, *others]}.values())
    with torch.no_grad():
        passages = [f"{name_text(each.premise.name)}. {statement_text(each.premise)}" for each in pool]
        there = batch(model, passages, LONGEST_PASSAGE)
        place = {each.id: number for number, each in enumerate(pool)}
        said = [spoken(_SENTENCE.split(each.premise.doc)[0]) or "?" for each in some]
        asked = batch(model, said, LONGEST_QUESTION)
        scores = asked @ there.T
        own = scores[torch.arange(len(some)), torch.tensor([place[each.id] for each in some])]
        before = (scores > own[:, None]).sum(1)
    return f"R@1 {(before < 1).float().mean():.3f}, R@10 {(before < 10).float().mean():.3f} among {len(pool)}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("index", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--without", type=Path, help="questions whose answers' files are held out")
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    held_out = set()
    if args.without:
        for each in json.loads(args.without.read_text(encoding="utf-8")):
            held_out.add(each["file"].partition(".lean")[0].replace("/", "."))
    folder, _ = packaged_model()
    model = Model(load_file(folder / WEIGHTS), json.loads((folder / CONFIG).read_text()))
    batch = Batcher(folder / TOKENIZER)
    groups, aside = examples(args.index, held_out)
    count = sum(map(len, groups))
    print(f"{count:,} premises to learn from; {len(held_out)} files held out for the questions", flush=True)
    print("before:", looked_at(model, batch, aside), flush=True)
    parameters = list(model.parameters())
    optimiser = torch.optim.AdamW(parameters, lr=RATE, weight_decay=0.01)
    rng = random.Random(args.seed)
    begun = time.monotonic()
    step, told, losses = 0, begun, []
    order: list[list[Stored]] = []
    while (share := (time.monotonic() - begun) / (60 * args.minutes)) < 1:
        if len(order) < GROUPS:
            order = rng.sample(groups, len(groups))
        pairs = [pair(each, rng) for _ in range(GROUPS) for each in order.pop()]
        for each in optimiser.param_groups:
            each["lr"] = RATE * min(1, (step + 1) / 100) * (0.5 + 0.5 * math.cos(math.pi * share))
        asked = batch(model, [question for question, _ in pairs], LONGEST_QUESTION)
        there = batch(model, [text for _, text in pairs], LONGEST_PASSAGE)
        scores = SHARPNESS * asked @ there.T
        right = torch.arange(len(pairs))
        loss = (functional.cross_entropy(scores, right) + functional.cross_entropy(scores.T, right)) / 2
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call, unused-ignore]
        optimiser.step()
        losses.append(loss.item())
        step += 1
        if time.monotonic() - told > 240:
            told = time.monotonic()
            at = f"{step} steps of {len(pairs)}, {told - begun:.0f} s, loss {sum(losses) / len(losses):.3f}"
            print(f"{at}; {looked_at(model, batch, aside)}", flush=True)
            losses = []
            np.savez(args.out.with_suffix(".part.npz"), **model.adapter())
    print(f"after {step} steps:", looked_at(model, batch, aside), flush=True)
    np.savez_compressed(args.out, **model.adapter())


if __name__ == "__main__":
    main()
