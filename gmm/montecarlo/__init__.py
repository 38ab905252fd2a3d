"""Monte Carlo experiments: many samples, many estimates, and what they say together.

A *study* (`design`; `gaussian` is one) and a seed are an *experiment* (`experiment`), which can
compute any of its *blocks* (`blocks`) anywhere. The *engine* (`engine`) has the missing ones
computed and puts them together; a *checkpoint* (`checkpoint`) keeps them, under a description of
what they are (`identity`). Its *replications* (`replications`) are summarized (`summary`) and drawn
(`plots`). `study` and `result` are what a user sees of both; a *grid* (`grid`) is many studies.
"""
