"""Tolerances of the model tables: how far labels, training and scores may be from the months before, and why."""

from sf_assets.engine.quality.measures import Margin, Tolerance
from sf_assets.engine.sql import read_sql

TOLERANCES = (
    Tolerance(
        "failures_like_before",
        ("model_target",),
        "number of companies that fail within the horizon of a labelled month",
        "select count(distinct siren) from {batch} where target",
        "one more month of labels moves it by a few percent: a fall means that labels were lost",
        "Look at clean_procedure: are the steps of the last years all there?",
        change=Margin(0.2, None),
        level=Margin(0.4, None),
        min_difference=20,
    ),
    Tolerance(
        "enough_failures",
        ("model_fitted",),
        "number of failing companies that the method of the list learned from, when it learns",
        "select min(training_failures) from {batch} where retained and training_to is not null",
        "whatever the setting, a model learns single companies rather than causes from ten failures; a third fewer than last "
        "month means that labels were lost",
        "Look at model_target and at the months learned from. SF_TRAINING_FAILURES is the number required before training.",
        low=10,
        change=Margin(0.3, None),
        level=Margin(0.5, None),
    ),
    Tolerance(
        "not_constant",
        ("model_scores",),
        "smallest standard deviation of a method's latest scores",
        read_sql("sf_assets.model", "smallest_spread"),
        "equal scores for all companies rank nobody, and neither do scores whose spread shrinks to a fifth in a month",
        "Look at the model's inputs and its training: which features have become constant?",
        low=0.001,
        change=Margin(0.8, None),
        level=Margin(0.9, None),
    ),
)
