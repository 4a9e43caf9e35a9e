"""Accounts filed again: later, more complete and with other figures, by companies that are still in business."""

from dataclasses import fields, replace

import numpy as np

from sf_assets_dev.synthetic.accounts import Statements
from sf_assets_dev.synthetic.timeline import MONTHS, NEVER, first_days
from sf_assets_dev.synthetic.world import Block

_FILED_AGAIN = 0.06


def with_filed_again(block: Block, statements: Statements) -> Statements:
    """Return the statements followed by those filed again four to eighteen months after, every part filled in.

    A company that failed meanwhile files nothing again: its first accounts remain.
    """
    rng = block.generator("refiled")
    count = len(statements.company)
    filed = statements.filed + rng.integers(120, 540, count)
    opened = block.world.first.opened[statements.company]
    in_business = (opened >= NEVER) | (filed < first_days(np.minimum(opened, MONTHS)))
    chosen = np.flatnonzero((rng.random(count) < _FILED_AGAIN) & in_business)
    better, stronger = np.exp(rng.normal(0.15, 0.2, (2, len(chosen))))
    filled = np.ones(len(chosen), dtype=bool)
    again = {field.name: getattr(statements, field.name)[chosen] for field in fields(Statements)} | {
        "filed": filed[chosen],
        "filing": statements.filing[chosen] + 1,
        "balance": filled,
        "income": filled,
        "working": filled,
    }
    again["ebe"] = again["ebe"] * better
    again["equity"] = again["equity"] * stronger
    joined = {name: np.concatenate((getattr(statements, name), values)) for name, values in again.items()}
    return replace(statements, **joined)
