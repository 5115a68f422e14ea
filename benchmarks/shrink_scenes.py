"""Satellite scenes at 32x32, ResNet-8 (EuroSAT).

    python -m benchmarks.shrink_scenes --data FOLDER --json figures.json

The figures' names are in benchmarks/shrinking.py.
"""

import pintsize
from benchmarks.shrinking import main
from benchmarks.tasks import scenes

if __name__ == "__main__":
    main("scenes", scenes.load, pintsize.Budget(flash="128kB", ram="64kB", max_drop="1%"))
