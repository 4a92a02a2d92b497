"""Venue wire formats to domain values. May import domain and transport. No threads, no sleeping, no retry."""
