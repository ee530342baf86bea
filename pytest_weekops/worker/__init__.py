"""Worker processes: the protocol, the program a worker runs, and the supervisor that keeps it in check."""
