"""How good scores were and still are: backtest, champion, utility of sources, drift, and past lists with their outcomes.

No list of a month depends on this layer, except through the champion that an earlier evaluation decided. `eval_backtest`,
`eval_figures`, `eval_champion` and `eval_utility` run once a year, by the command `sf evaluate` or the job `evaluate`;
`eval_effect` runs with them; `eval_drift`, `eval_verification` and `eval_answers` run every month.
"""
