"""What we talk about: frozen values and errors.

May import the standard library only. No I/O, no clock, no threads: every value here may be read from any thread.
"""
