"""The command line of the trainings that make shipped weights: DATA --seed 0 --out FOLDER."""

from __future__ import annotations

import argparse
from pathlib import Path


def training_line(told: str, out: Path) -> argparse.ArgumentParser:
    """data, seed and out. told: what it trains; out: where the shipped weights lie."""
    parser = argparse.ArgumentParser(description=told)
    parser.add_argument("data", type=Path, help="the folder of data sets")
    parser.add_argument("--seed", type=int, default=0, help="the same seed gives the same files")
    parser.add_argument("--out", type=Path, default=out)
    return parser
