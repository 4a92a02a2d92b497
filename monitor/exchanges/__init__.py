"""Venue wire format to domain values. May import domain and transport. Called from poller threads.

No threads and no retry. Nothing waits but a read of several pages, for the budget, between two of them.
"""
