"""What restores a volume: the classical methods, the networks, and what networks need to run."""
