"""FHIR R4: what every Bundle and Observation must have, and codes that exist."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from pintsize.apps.ecg import fhir
from pintsize.apps.ecg.pieces import Pieces
from pintsize.apps.ecg.study import Study
from tests.apps.ecg.hearts import counts, heart, steady
from tests.apps.ecg.playing import Leads, played

#: http://hl7.org/fhir/R4/observation.html: the elements that an Observation may have
ELEMENTS = {
    "resourceType", "id", "status", "category", "code", "valueQuantity", "valueCodeableConcept", "valueString",
    "valueInteger", "dataAbsentReason", "interpretation", "note", "method", "device", "component",
}  # fmt: skip
VALUES = ("valueQuantity", "valueCodeableConcept", "valueString", "valueInteger")
LOINC = {"8867-4": "Heart rate", "11524-6": "EKG study", "8601-7": "EKG impression",
         "76281-5": "Type of arrhythmia on EKG"}  # fmt: skip


@pytest.fixture
def study(hearts: Pieces) -> Study:
    beats = [*steady(12), *[("V", 0.4)] * 4, ("N", 1.2), *steady(8)]
    return played(Leads(counts(heart(beats))), hearts).study


def observations(made: dict[str, Any]) -> list[dict[str, Any]]:
    return [entry["resource"] for entry in made["entry"]]


def assert_observation(resource: dict[str, Any]) -> None:
    """As R4 has it: 1..1 status and code, one value at most, and none where it is absent."""
    assert set(resource) <= ELEMENTS
    assert resource["resourceType"] == "Observation"
    assert resource["status"] in ("registered", "preliminary", "final", "amended")
    for part in (resource, *resource.get("component", [])):
        assert_concept(part["code"])
        values = [name for name in VALUES if name in part]
        assert len(values) + ("dataAbsentReason" in part) <= 1
        if part is not resource:
            assert len(values) + ("dataAbsentReason" in part) == 1
        if "valueQuantity" in part:
            assert part["valueQuantity"]["system"] == "http://unitsofmeasure.org"
            assert part["valueQuantity"]["code"] in ("/min", "s")
            assert np.isfinite(part["valueQuantity"]["value"])
    assert {"text": "A screening aid, not a diagnosis."} in resource["note"]


def assert_concept(concept: dict[str, Any]) -> None:
    assert "text" in concept
    for coding in concept.get("coding", []):
        assert coding["system"].startswith("http")
        if coding["system"] == fhir.LOINC:
            assert LOINC[coding["code"]] == coding["display"]


def test_a_bundle_is_a_collection_of_observations_with_names_of_their_own(study: Study) -> None:
    made = fhir.bundle(study, "r.npz")
    assert (made["resourceType"], made["type"]) == ("Bundle", "collection")
    for entry in made["entry"]:
        assert entry["fullUrl"] == f"urn:uuid:{entry['resource']['id']}"
        assert_observation(entry["resource"])
    assert len({entry["fullUrl"] for entry in made["entry"]}) == len(made["entry"])


def test_rate_impression_and_findings_are_there(study: Study) -> None:
    rate, ecg, run, over = observations(fhir.bundle(study, "r.npz"))
    assert rate["valueQuantity"]["value"] == study.rate_bpm
    impression = ecg["component"][0]["valueString"]
    assert impression.startswith("urgent: ventricular tachycardia")
    assert ecg["interpretation"][0]["coding"][0]["code"] == "AA"
    assert [run["valueCodeableConcept"]["text"], over["valueCodeableConcept"]["text"]] == [
        "ventricular tachycardia",
        "ventricular run over",
    ]
    assert run["component"][0]["valueQuantity"]["value"] == pytest.approx(12.4, abs=0.1)


def test_what_is_not_known_is_absent_with_the_reason(hearts: Pieces) -> None:
    nothing = played(Leads(np.zeros(3600, np.int16)), hearts).study
    rate, ecg = observations(fhir.bundle(nothing, "flat"))
    assert "valueQuantity" not in rate
    assert rate["dataAbsentReason"]["coding"][0]["system"] == fhir.ABSENT
    assert "interpretation" not in ecg
    for resource in (rate, ecg):
        assert_observation(resource)


def test_the_same_study_gives_the_same_bytes(study: Study) -> None:
    assert fhir.as_json(study, "r") == fhir.as_json(study, "r")
    assert json.loads(fhir.as_json(study, "r")) == fhir.bundle(study, "r")
    assert fhir.bundle(study, "r")["id"] != fhir.bundle(study, "s")["id"]
