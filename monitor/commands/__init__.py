"""The command line's work without a window: snapshot, watch. May import everything below the widgets; no Qt."""
