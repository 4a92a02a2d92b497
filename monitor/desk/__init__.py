"""The monitor on a desk: the Qt application, its window and what works behind it, started and ended in order."""
