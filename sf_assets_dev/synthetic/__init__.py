"""A synthetic France: coherent companies whose files look like those of the producers. No asset knows its secrets."""

from sf_assets_dev.synthetic.batch import write_batch

__all__ = ["write_batch"]
