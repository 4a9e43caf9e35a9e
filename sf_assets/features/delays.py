"""The delays of `sources/delays.py`, for what stands on the features."""

from sf_assets.sources.delays import DELAYS, delays_with

__all__ = ["DELAYS", "delays_with"]
