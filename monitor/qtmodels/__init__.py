"""Qt faces of the state. GUI thread only."""
