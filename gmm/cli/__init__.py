"""``python -m gmm``: the experiment of 2010, and studies of one's own."""
