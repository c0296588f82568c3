"""`python -m agents` runs the command `engage`."""

from agents.start import main

if __name__ == "__main__":
    main()
