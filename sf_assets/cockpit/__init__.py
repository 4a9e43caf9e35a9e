"""What operators look at and act on beside the graph: where months stand, notices, acceptances, upkeep."""
