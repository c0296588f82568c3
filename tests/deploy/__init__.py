"""The files in deploy/ are valid, agree with the code, and work without a container engine."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
