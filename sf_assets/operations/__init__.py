"""What operators run and read beside the graph: jobs, sensors, status, notices, acceptances, quarantine, maintenance."""
