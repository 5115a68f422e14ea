"""Wake words: a streaming int8 model on raw samples that tells when one of its words was said."""

from pintsize.apps.assistant.wake.words import WakeWords

__all__ = ["WakeWords"]
