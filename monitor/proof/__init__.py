"""What connection reuse and caching are worth, measured: *Measure*, figures per day, and a simulated day.

May import assembly, state and what is below, never Qt. A measurement blocks on the network in a thread of its own; the
statistics and the simulated day are pure.
"""
