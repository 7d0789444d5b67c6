"""Proof search over goals as Lean prints them: states, their tree, the search, the proof as a person keeps it."""
