"""What the screen knows. Used from one thread only (the GUI's, or the headless loop's); contains no Qt."""
