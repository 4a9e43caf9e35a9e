"""Signaux Faibles: from the partners' monthly files to a checked, scored and explained list of companies at risk.

Data flows through layers, one package each: `sources` (delivered files), `staging` (their records, typed), `clean` (one
version of each entity), `features` (values known at the cut-off), `model` (fitted methods and scores), `lists` (published
lists), `evaluation` (how good the methods are). `definitions` assembles them for Dagster.
"""
