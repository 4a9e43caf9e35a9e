"""The normal quantile of every interval of 95 %."""

NORMAL = 1.96
