"""The entry point of ``python -m monitor`` and of the double click."""

import sys

from monitor.cli import main

if __name__ == "__main__":
    sys.exit(main())
