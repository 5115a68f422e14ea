"""Motion of a wrist, convolutions and a GRU (nobody on both sides).

    python -m benchmarks.shrink_activity --data FOLDER --json figures.json

The figures' names are in benchmarks/shrinking.py.
"""

import pintsize
from benchmarks.shrinking import main
from benchmarks.tasks import activity

if __name__ == "__main__":
    main("activity", activity.load, pintsize.Budget(max_drop="0.5%"))
