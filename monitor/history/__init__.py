"""What was shown, kept in a local SQLite file: recorder, retention, restore at start, export.

May import state and everything below it; nothing below may know it. It is handed its file and its limits, it never
looks them up. Two sides: :mod:`monitor.history.observer` reads the board on the board's thread; the recorder and the
reader work on threads of their own, with connections of their own.
"""
