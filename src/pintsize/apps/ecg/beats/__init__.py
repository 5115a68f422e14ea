"""Beats: a streaming band-pass on raw samples, and a rule in integers that finds the R peaks."""

from pintsize.apps.ecg.beats.finder import Beat, BeatFinder, FinderRule
from pintsize.apps.ecg.beats.model import BeatModel, load_beats

__all__ = ["Beat", "BeatFinder", "BeatModel", "FinderRule", "load_beats"]
