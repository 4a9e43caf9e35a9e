"""The model layer: the target, the scoring methods, their figures on later months, and the scores of each month."""
