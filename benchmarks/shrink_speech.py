"""Spoken digits, DS-CNN of the MLPerf Tiny shape (Free Spoken Digit Dataset): within 1 point in 8 kB of weights.

    python -m benchmarks.shrink_speech --data FOLDER --json figures.json

The figures' names are in benchmarks/shrinking.py.
"""

import pintsize
from benchmarks.shrinking import main
from benchmarks.tasks import speech

if __name__ == "__main__":
    main("speech", speech.load, pintsize.Budget(flash="32kB", ram="16kB", max_drop="1%"))
