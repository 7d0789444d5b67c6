"""The tokenizer: byte-level BPE whose words end at dots, underscores and capitals, as llama.cpp tokenises it too.

llama.cpp has a closed list of ways to cut text into words; its `tekken` is the one that knows case. So a name is cut as
`Nat` `.add` `_comm`, `cont` `Diff`, a digit is a word, a line break one, indentation one. What lies within a word is
BPE over bytes: nothing is unknown and nothing is lost. Every symbol that Lean text uses often becomes one token.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from tacit.training.errors import TrainingError, library
from tacit.training.prompt import END, PAD, SPECIAL

VOCABULARY = 8192
FILE = "tokenizer.json"
PRE = "tekken"
"""What llama.cpp calls WORDS (src/llama-vocab.cpp, LLAMA_VOCAB_PRE_TYPE_TEKKEN)."""
WORDS = (
    r"[^\r\n\p{L}\p{N}]?((?=[\p{L}])([^a-z]))*((?=[\p{L}])([^A-Z]))+"
    r"|[^\r\n\p{L}\p{N}]?((?=[\p{L}])([^a-z]))+((?=[\p{L}])([^A-Z]))*"
    r"|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
OFTEN = 100
"""A symbol outside ASCII that the texts use so often becomes one token, with and without a blank before it."""
_LARGEST = 1 << 16  # ids are kept as 16 bits


class Tokenizer:
    """Texts to ids and back. The six marks of the template are the first ids; in plain text they mean nothing."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self.size: int = inner.get_vocab_size()
        self.end: int = inner.token_to_id(END)
        self.pad: int = inner.token_to_id(PAD)

    @classmethod
    def load(cls, path: Path) -> Tokenizer:
        """Read what `save` wrote. Raises TrainingError."""
        if not path.is_file():
            raise TrainingError(f"There is no tokenizer in {path.parent}.", "Train one: `tacit train tokenizer`.")
        try:
            found = cls(library("tokenizers").Tokenizer.from_file(str(path)))
        except TrainingError:
            raise
        except Exception as error:  # the library raises bare Exception
            raise TrainingError(
                f"{path} is no tokenizer: {error}.", "Train it again: `tacit train tokenizer`."
            ) from error
        if [found.id_of(each) for each in SPECIAL] != list(range(len(SPECIAL))) or found.size > _LARGEST:
            raise TrainingError(f"{path} is no tokenizer of tacit-tiny.", "Train one: `tacit train tokenizer`.")
        return found

    def save(self, path: Path) -> None:
        """Write it in the format of the `tokenizers` library."""
        self._inner.save(str(path))

    def encode(self, text: str) -> list[int]:
        """The ids of a text in which the template's marks stand for themselves."""
        ids: list[int] = self._inner.encode(text, add_special_tokens=False).ids
        return ids

    def encode_many(self, texts: list[str]) -> list[list[int]]:
        """The ids of several texts; on several threads where TOKENIZERS_PARALLELISM allows it."""
        return [each.ids for each in self._inner.encode_batch_fast(texts, add_special_tokens=False)]

    def decode(self, ids: Iterable[int]) -> str:
        """The text of ids, marks included."""
        text: str = self._inner.decode(list(ids), skip_special_tokens=False)
        return text

    def id_of(self, token: str) -> int | None:
        """The id of a token, None when there is none."""
        found: int | None = self._inner.token_to_id(token)
        return found

    def tokens(self) -> list[str]:
        """All tokens in the order of their ids, bytes spelled as GPT-2 spells them."""
        by_id = {number: token for token, number in self._inner.get_vocab().items()}
        return [by_id[number] for number in range(self.size)]

    def merges(self) -> list[str]:
        """The merges in order, two tokens and a blank each."""
        found = json.loads(self._inner.to_str())["model"]["merges"]
        return [each if isinstance(each, str) else " ".join(each) for each in found]


def train(texts: Iterable[str], size: int = VOCABULARY, *, often: int = OFTEN) -> Tokenizer:
    """A tokenizer for these texts, of which only words and their numbers are kept in memory. Raises TrainingError."""
    tokenizers = library("tokenizers")
    if not len(SPECIAL) + 256 <= size <= _LARGEST:
        raise TrainingError(f"A vocabulary of {size} tokens cannot be.", f"Name {len(SPECIAL) + 256} to {_LARGEST}.")
    inner = tokenizers.Tokenizer(tokenizers.models.BPE(ignore_merges=True))
    inner.pre_tokenizer = tokenizers.pre_tokenizers.Sequence(
        [
            tokenizers.pre_tokenizers.Split(tokenizers.Regex(WORDS), behavior="isolated"),
            tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    inner.decoder = tokenizers.decoders.ByteLevel()
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=list(SPECIAL),
        initial_alphabet=sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    inner.train_from_iterator(_with_symbols(texts, often), trainer)
    return Tokenizer(inner)


def _with_symbols(texts: Iterable[str], often: int) -> Iterator[str]:
    """The texts, and at the end each symbol so often that BPE makes it one token before it joins any two words."""
    seen: Counter[str] = Counter()
    longest = 0
    for text in texts:
        if not text.isascii():
            seen.update(char for char in text if char > "\x7f")
        longest += len(text)
        yield text
    weight = max(often, longest // 50_000)  # more often than the last merge that there is room for
    for symbol, count in sorted(seen.items()):
        if count >= often and symbol.isprintable():
            yield f" {symbol}1{symbol}" * weight
