"""The models that `tacit models pull` knows by name: published GGUF files for Tacit's presets. Facts, no network.

Each was looked up where it is published. A SHA-256 stands here only where the hub's own page of the file shows it;
for the others the hub is asked, and what it says at the first fetching is kept (see `models`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Published:
    """A GGUF in a repository of the hub. `size` is about so many bytes, to be shown before the hub is asked.

    `file` may be a part of a file's name that only one has, where the whole name is not known for sure.
    """

    name: str
    preset: str
    repository: str
    file: str
    size: int
    licence: str
    about: str
    revision: str = "main"
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Unconverted:
    """A model that is published as weights for PyTorch; no GGUF of it was found."""

    name: str
    repository: str
    licence: str


CATALOGUE: Mapping[str, Published] = MappingProxyType(
    {
        each.name: each
        for each in (
            Published(
                "bfs-prover-v2",
                "bfs-prover-v2",
                "mradermacher/BFS-Prover-V2-7B-GGUF",
                "Q4_K_M.gguf",
                4_700_000_000,
                "Apache-2.0",
                "BFS-Prover-V2 7B, a step prover, 4 bits",
            ),
            Published(
                "internlm2.5-step-prover",
                "internlm2.5-step-prover",
                "tensorblock/internlm2_5-step-prover-GGUF",
                "internlm2_5-step-prover-Q4_K_S.gguf",
                4_480_000_000,
                "other: see internlm/internlm2_5-step-prover",
                "InternLM2.5-StepProver 7B, 4 bits",
                "fe4d483203d105bd6fa02552306ef899dcfe4aa5",
                "9e12c03eb89a655ffb9017da4948fdab0143882efe9303fa6757389b9211a4d5",
            ),
            Published(
                "internlm2-step-prover",
                "internlm2-step-prover",
                "QuantFactory/internlm2-step-prover-GGUF",
                "internlm2-step-prover.Q4_K_M.gguf",
                4_710_000_000,
                "other: see internlm/internlm2-step-prover",
                "InternLM2-StepProver 7B, 4 bits",
                "0fec6188f66fdd1e8ed284cb081d4a57036987e4",
            ),
            Published(
                "llemma-7b",
                "few-shot",
                "TheBloke/llemma_7b-GGUF",
                "llemma_7b.Q4_K_M.gguf",
                4_080_000_000,
                "Llama 2",
                "Llemma 7B, a model of mathematics, 4 bits",
                "9c661c29a8b530e9bd9d60c709e25ecc81e66d15",
                "308a34d856243640dfc18f86eaa246bd6022933b57a5d06f5363b1e46a8963cd",
            ),
            Published(
                "qwen2.5-coder-0.5b",
                "few-shot",
                "ggml-org/Qwen2.5-Coder-0.5B-Q8_0-GGUF",
                "qwen2.5-coder-0.5b-q8_0.gguf",
                531_000_000,
                "Apache-2.0",
                "Qwen2.5-Coder 0.5B, a small model of code, 8 bits",
                "ecdd60b1c25ab158bec6e1ab084aeebf9eae0af4",
                "d0f8cd6c49bab52a0abdbe47948518b1f4d9b1a8a2a6825099cea31cea10ac56",
            ),
        )
    }
)

UNCONVERTED: Mapping[str, Unconverted] = MappingProxyType(
    {
        each.name: each
        for each in (
            Unconverted("ntp-mathlib-st", "l3lab/ntp-mathlib-st-deepseek-coder-1.3b", "MIT"),
            Unconverted("llmstep", "wellecks/llmstep-mathlib4-pythia2.8b", "MIT"),
            Unconverted("real-prover", "FrenzyMath/REAL-Prover", "not stated"),
        )
    }
)
