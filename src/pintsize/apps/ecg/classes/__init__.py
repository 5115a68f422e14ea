"""Classes: what kind of beat a beat is, from its shape, the patient's typical beat and the rhythm."""

from pintsize.apps.ecg.classes.classifier import BeatClass, BeatClassifier, load_classes
from pintsize.apps.ecg.classes.context import PatientContext

__all__ = ["BeatClass", "BeatClassifier", "PatientContext", "load_classes"]
