"""Where candidate tactics come from: one small class a source, behind one Protocol.

A source sees a goal as Lean prints it and proposes texts; it proves nothing and asks nobody. `portfolio` has the list
that anybody would try, as data in `entries`; `hypotheses` makes tactics from the names of the context, with
`recursion` for variables and `terms` for small proof terms, searched among `facts`; `definitions` unfolds what the
target mentions; `above` and `nearby` use what stands above in the same file; `unknowns` puts terms for what a step
left open.

All of them look at a goal through `view`, which reads types with `shape` and `lexer`, and name what they introduce
with `names`. `matching` fits patterns to types, `precedence` brings what a user wrote into the form that Lean prints.
`offers` drops what this environment cannot parse, which `probes` finds out. `try_this` reads the answers of the
queries (`exact?`, `simp?`) that the portfolio asks.
"""
