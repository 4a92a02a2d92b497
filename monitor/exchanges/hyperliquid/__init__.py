"""Hyperliquid: endpoints and parsing. Called from poller threads."""
