"""What models are made of: arrays, labels, formulas, instruments, samples reduced to moments."""
