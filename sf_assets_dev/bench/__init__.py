"""What each stage of a first month costs: seconds, rows per second, memory."""
