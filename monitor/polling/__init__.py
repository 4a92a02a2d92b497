"""When to ask, on which thread, and the one hand-over to the GUI. May import exchanges and below; no Qt."""
