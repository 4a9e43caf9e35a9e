"""Writers of a warehouse killed at random moments, and its servers disturbed amid writes: what is stored afterwards."""
