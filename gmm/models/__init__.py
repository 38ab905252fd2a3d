"""Models that gmm can estimate, one a file, and what theory knows of them."""
