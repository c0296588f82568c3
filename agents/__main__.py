"""`python -m agents` runs the command `engage`."""

from agents.cli.main import main

if __name__ == "__main__":
    main()
