"""What a recording showed as FHIR R4: a Bundle of Observations with LOINC codes, preliminary, for nobody yet.

Source: HL7 FHIR R4 (4.0.1), Observation; LOINC; MDC (ISO/IEEE 11073-10101) for the signal, as in FHIR's own example.
Where no code is known to fit, a concept has a text alone. Nothing is made up: what is not known has a
`dataAbsentReason`.
"""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID, uuid5

from pintsize import __version__ as version
from pintsize.apps.ecg.quality import RATE_HZ
from pintsize.apps.ecg.rhythm import CLASSES, RATE_BEATS, bpm
from pintsize.apps.ecg.study import Study
from pintsize.apps.ecg.triage import NOTICE, Level

LOINC = "http://loinc.org"
UCUM = "http://unitsofmeasure.org"
CATEGORIES = "http://terminology.hl7.org/CodeSystem/observation-category"
INTERPRETATIONS = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
ABSENT = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
#: names of this application's own resources are made from it and from what they hold
NAMESPACE = UUID("6f0a4f7e-2d6b-5c59-9c8e-6d3f3c1b7a10")
#: normal, abnormal, critical; a recording that must be repeated says nothing
MEANINGS = {
    Level.NORMAL: ("N", "Normal"),
    Level.REFER: ("A", "Abnormal"),
    Level.URGENT: ("AA", "Critical abnormal"),
}

Resource = dict[str, Any]


def bundle(study: Study, name: str) -> Resource:
    """The Bundle, ready for JSON. name: of the recording. The same study gives the same bundle."""
    made = [_heart_rate(study), _ecg(study, name)]
    made += [_event(study, start_s, text) for start_s, text in _events(study)]
    entries = []
    for resource in made:
        key = uuid5(NAMESPACE, f"{name} {json.dumps(resource, sort_keys=True)}")
        entries.append({"fullUrl": f"urn:uuid:{key}", "resource": {**resource, "id": str(key)}})
    key = uuid5(NAMESPACE, " ".join(entry["fullUrl"] for entry in entries))
    return {"resourceType": "Bundle", "id": str(key), "type": "collection", "entry": entries}


def as_json(study: Study, name: str) -> str:
    return json.dumps(bundle(study, name), indent=1, ensure_ascii=False) + "\n"


def _observation(code: Resource, category: str, **more: Any) -> Resource:
    return {
        "resourceType": "Observation",
        "status": "preliminary",
        "category": [{"coding": [{"system": CATEGORIES, "code": category}]}],
        "code": code,
        "device": {"display": f"pintsize {version}, portable ECG"},
        "note": [{"text": f"{NOTICE}."}],
        **more,
    }


def _heart_rate(study: Study) -> Resource:
    counts = study.recorded.counts
    components = [
        {"code": {"text": f"{which} rate of {RATE_BEATS} intervals"}, **_rate(bpm(RATE_BEATS, length))}
        for which, length in (("slowest", counts.slowest), ("fastest", counts.fastest))
    ]
    return _observation(
        _code("8867-4", "Heart rate"), "vital-signs", **_rate(study.rate_bpm), component=components
    )


def _ecg(study: Study, name: str) -> Resource:
    counts, recorded = study.recorded.counts, study.recorded
    beats = dict(zip(CLASSES, counts.classes, strict=True)) | {"not named": counts.abstained}
    numbers = {
        **{
            f"beats of class {label}" if len(label) == 1 else f"beats {label}": n
            for label, n in beats.items()
        },
        "pauses above 2 s": counts.pauses,
        "ventricular couplets": counts.couplets,
        "ventricular runs": counts.ventricular_runs,
        "ventricular tachycardias": counts.tachycardias,
        "ventricular bigeminies": counts.bigeminies,
        "supraventricular runs": counts.supraventricular_runs,
        "irregularly irregular spells": counts.irregularities,
    }
    components = [{"code": {"text": what}, "valueInteger": n} for what, n in numbers.items()]
    components += [
        {"code": {"text": what}, "valueQuantity": _quantity(round(samples / RATE_HZ, 2), "s")}
        for what, samples in (("recorded", recorded.total), ("usable", recorded.usable))
    ]
    impression = {
        "code": _code("8601-7", "EKG impression"),
        "valueString": f"{study.triage.name}: {'; '.join(study.triage.reasons)}",
    }
    meaning = MEANINGS.get(study.triage.level)
    told = {} if meaning is None else {"interpretation": [_coding(INTERPRETATIONS, *meaning)]}
    return _observation(
        _code("11524-6", "EKG study"),
        "procedure",
        **told,
        component=[impression, *components],
        method={"text": f"one lead at {RATE_HZ} Hz, {name}"},
    )


def _events(study: Study) -> list[tuple[float, str]]:
    from pintsize.apps.ecg.rhythm import NAMES

    return [(told.start_s, NAMES[told.event.finding]) for told in study.events]


def _event(study: Study, start_s: float, text: str) -> Resource:
    """A finding, with its place in the recording: no calendar is known to the signal."""
    after = {
        "code": {"text": "after the recording's begin"},
        "valueQuantity": _quantity(round(start_s - study.start_s, 3), "s"),
    }
    code, value = _code("76281-5", "Type of arrhythmia on EKG"), {"text": text}
    return _observation(code, "procedure", valueCodeableConcept=value, component=[after])


def _rate(value: float | None) -> Resource:
    if value is None:
        return {"dataAbsentReason": _coding(ABSENT, "not-performed", "Not Performed")}
    return {"valueQuantity": _quantity(value, "/min")}


def _quantity(value: float, unit: str) -> Resource:
    return {"value": value, "unit": unit, "system": UCUM, "code": unit}


def _code(code: str, display: str) -> Resource:
    return {**_coding(LOINC, code, display), "text": display}


def _coding(system: str, code: str, display: str) -> Resource:
    return {"coding": [{"system": system, "code": code, "display": display}]}
