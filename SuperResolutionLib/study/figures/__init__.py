"""The figures of a study, one a file."""
