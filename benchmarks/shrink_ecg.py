"""Heartbeats, 1-D network (MIT-BIH, no patient on both sides).

    python -m benchmarks.shrink_ecg --data FOLDER --json figures.json

The figures' names are in benchmarks/shrinking.py.
"""

import pintsize
from benchmarks.shrinking import main
from benchmarks.tasks import ecg

if __name__ == "__main__":
    main("ecg", ecg.load, pintsize.Budget(flash="32kB", ram="16kB", max_drop="1%"))
