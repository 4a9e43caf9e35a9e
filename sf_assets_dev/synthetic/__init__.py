"""Synthetic France: coherent companies, whose files have the producers' formats. No asset reads their hidden state."""

from sf_assets_dev.synthetic.batch import write_batch

__all__ = ["write_batch"]
