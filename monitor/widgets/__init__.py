"""Pixels; no decisions. GUI thread only."""
