"""What was known at the cut-off: one row per company of the perimeter and month, nothing from after it."""
