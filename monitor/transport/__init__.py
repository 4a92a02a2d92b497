"""Pooled, traced, read-only HTTPS sessions. May import domain, requests and urllib3. Any thread."""
