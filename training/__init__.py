"""Trains tacit-tiny, a small model that proposes the next tactic: data, tokenizer, model, run, export.

Imports nothing of Tacit but `tacit.index`.
"""

if __name__ == "training":
    raise ImportError("import this package as tacit.training")
