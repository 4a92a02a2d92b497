"""`python -m monitor.simulator`: the demo exchange in a process of its own."""

from monitor.simulator.runner import main

if __name__ == "__main__":
    raise SystemExit(main())
