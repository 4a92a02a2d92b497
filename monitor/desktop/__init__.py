"""The user's machine as plain Python: paths, settings, logs. No Qt."""
