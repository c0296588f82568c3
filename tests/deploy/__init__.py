"""The files in deploy/ are valid, agree with the code, and work where no container engine runs."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
