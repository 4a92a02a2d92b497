"""Bitunix futures: endpoints and parsing. Called from poller threads."""
