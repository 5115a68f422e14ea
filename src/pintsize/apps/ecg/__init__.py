"""Electrocardiograms: beats, their classes, the rhythm; a screening aid, not a diagnosis."""
