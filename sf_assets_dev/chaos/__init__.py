"""Writers of a warehouse killed at random moments, and its server restarted amid writes: what is stored afterwards."""
