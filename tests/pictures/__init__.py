"""Pictures of the pages, made from real runs: `python -m tests.pictures` renews them."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
#: Directory of the pictures.
PICTURES = ROOT / "deploy" / "pictures"
