"""The pictures of the README, made of real runs: `python -m tests.pictures` renews them."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
#: Where the README looks for them.
PICTURES = ROOT / "deploy" / "pictures"
