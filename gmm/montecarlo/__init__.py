"""Monte Carlo experiments: many samples, many estimates, and what they say together."""
