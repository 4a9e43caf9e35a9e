"""What scores were worth and still are: backtest, champion, utility, drift, and lists looked at when the outcome is known.

Nothing here makes a month's list. The yearly part (`eval_backtest` and what reads it) is launched by `make evaluate` or
the job `evaluate`; drift and verification come with every month.
"""
