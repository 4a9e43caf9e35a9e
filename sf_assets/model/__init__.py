"""What is learned: the target, the scoring methods, their figures on later months, and the month's scores."""
