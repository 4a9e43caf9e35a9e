"""What is published: alert levels with their reasons, and the files public officers receive."""
