"""`python -m agents` is the command `engage`."""

from agents.cli import main

if __name__ == "__main__":
    main()
