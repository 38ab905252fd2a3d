"""Models that gmm can estimate, one a file."""
