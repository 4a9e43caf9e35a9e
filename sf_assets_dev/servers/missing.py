"""What is raised where a server cannot be started."""


class NoServer(RuntimeError):
    """A server is not installed on this machine, or does not start; the message says what to install."""
