"""What scanners do, as matrices: each file is one effect along one axis."""
