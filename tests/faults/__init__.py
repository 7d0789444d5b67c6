"""Faults put into the real sidecar, one at a time and mixed at random, and what must hold after each.

    make faults                                   # each fault once, then some rounds of several at once
    make faults ARGS='--seed 7 --rounds 40'       # how many rounds of several at once, and which
    make faults ARGS='--kind lean --rounds 0'     # one kind only (`--kind` may be repeated); `--list` names all
    make faults ARGS='--only "Lean is killed" --times 5'
    make faults ARGS='--peer scripted'            # a scripted peer though there is a Lean

A round starts `tacit serve` as an editor does (`rig.Rig`), in a folder of its own with a small Lake project, an index
and a home; has the demo goal answered once; injects; asks for everything an editor asks for while the fault is in force
(`lasts`), or after it; lifts it; waits for a suggestion that closes the demo goal; and shuts down. `checks` then says
what did not hold:

1. every request was answered (a refusal is an answer, silence is none);
2. the user was told as the fault says (`Told`), and nothing twice;
3. a suggestion came again, after so many seconds;
4. no process is left that the round started, wherever it went;
5. the user's files are the same, byte for byte, and every index opens and is sound; no traceback was logged.

A fault is a function in a module that `catalogue` imports:

    @fault("disk", "The disk is full", lasts=True, told=Told.SHOWN, says="disk")
    async def full(rig: Rig, dice: random.Random) -> AsyncIterator[None]:
        ...           # inject it, with any choice taken from `dice`
        yield         # here it is in force, and everything is asked
        ...           # what a user does about it, or what passes by itself: its end is where recovery is timed from

`lasts`: it is in force until what stands behind the `yield` is done; without it, recovery is timed from
the `yield` on, and what stands behind it only cleans up.
`rig.lean` and `rig.model` stand for those processes: they kill, stop, and make them behave badly (see `peers`).
`when=` says in which states it is injected (`When`), `index=True` that the project is indexed first, `model=True` that
there is a local model. A fault of the editor may end the sidecar and start another: `await rig.restart()`.
"""
