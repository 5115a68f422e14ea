"""For applications that listen: reading clips, making more of them, and hours of what they must not react to.

    clip = read_clip("alexa_075.flac")                     # float32, mono, 16 kHz
    varied = Augmentation(seed=0, babble=others).apply(clip)
    hours = hours_of(clips, hours=2.0, seed=0)             # tracks of speech, noise and pauses

numpy and the runtime's sources alone; all of it is a function of its seed.
"""

from pintsize.apps.sounds.augmentation import Augmentation, Recipe
from pintsize.apps.sounds.clip import RATE_HZ, as_codes, read_clip
from pintsize.apps.sounds.hours import Hours, Said, Track, hours_of
from pintsize.apps.sounds.labelled import Labelled, labelled_clips, labelled_folder
from pintsize.apps.sounds.level import active_span, loudness_db, with_loudness
from pintsize.apps.sounds.noise import NOISES, babble, noise
from pintsize.apps.sounds.room import in_room, room_response
from pintsize.apps.sounds.shares import share_of
from pintsize.apps.sounds.speed import at_speed, tilted
from pintsize.apps.sounds.synthesis import can_speak, said_by_many

__all__ = [
    "NOISES", "RATE_HZ", "Augmentation", "Hours", "Labelled", "Recipe", "Said", "Track", "active_span",
    "as_codes", "at_speed", "babble", "can_speak", "hours_of", "in_room", "labelled_clips", "labelled_folder",
    "loudness_db", "noise", "read_clip", "room_response", "said_by_many", "share_of", "tilted", "with_loudness",
]  # fmt: skip
