"""The features: quantities per company of the perimeter and month, computed from what was published by the cut-off."""
