"""Typed orders, transformer over words (CLINC150, 150 intents).

    python -m benchmarks.shrink_intents --data FOLDER --json figures.json

The figures' names are in benchmarks/shrinking.py.
"""

import pintsize
from benchmarks.shrinking import main
from benchmarks.tasks import intents

if __name__ == "__main__":
    main("intents", intents.load, pintsize.Budget(max_drop="0.5%"))
