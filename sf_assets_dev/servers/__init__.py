"""Private servers on this machine, for tests and trials: PostgreSQL on a socket, SeaweedFS (S3) on the loopback.

Each lives in a folder of its own and ends with the block that started it.
"""
