"""Random attempts at the checker: what passes the gate, and what is read from Lean's messages.

`tests/unit/test_fuzz.py` runs a few of them, the same ones each time; `make fuzz` runs new ones for as long as wanted.
"""
