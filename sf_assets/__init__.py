"""Signaux Faibles: from the partners' monthly files to a gated, scored, explained list of companies at risk.

Data flows down through six layers, one package each: `sources` (what arrives), `staging` (the same records, typed),
`clean` (one truth per entity), `features` (what was known at the cut-off), `model` (what is learned), `lists` (what is
published). `definitions` is the table of contents.
"""
