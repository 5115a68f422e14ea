"""What the network is given of an epoch's features: logarithms, less the night's own median.

Of the 21 features of the accelerometer the 16 that are amounts of motion are used, and the clock's 3. What the names of
the columns are is not published; a forest found little in the others, the ballistocardiogram's 11 among them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

EPOCH_S = 30
#: accelerometer 21, ballistocardiogram 11, clock 3
COLUMNS = 35
MOTION = (*range(3), *range(6, 18), 20)
CLOCK = (32, 33, 34)
#: beside nothing at all a little motion is a lot; that much is nothing
LEAST = 0.05
#: of what is given to the network, in factors of four
LOWEST, HIGHEST = -2.0, 4.0


def prepared(features: NDArray[np.float64], valid: NDArray[np.bool_]) -> NDArray[np.float32]:
    """features: (epochs, 35); valid: (epochs,), one at least. Gives (epochs, 19); 0 where an epoch is not valid."""
    motion = np.log2(np.maximum(features[:, MOTION], 0.0) + LEAST)
    motion -= np.median(motion[valid], axis=0)
    clock = 2.0 * np.clip(features[:, CLOCK], 0.0, 1.0) - 1.0
    x = np.concatenate([np.clip(motion / 2, LOWEST, HIGHEST), clock], 1)
    return np.where(valid[:, None], x, 0.0).astype(np.float32)
