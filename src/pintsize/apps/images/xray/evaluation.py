"""The honest metrics of the shipped X-ray model, on pictures that neither training nor any choice saw.

`pneumonia_auc` is of all X-rays of the part, graded or not; `..._answered` and `..._right_of_answered` say what a user
is told. `..._refused_<fault>`: of the same X-rays, spoilt on purpose, and of other pictures, the share with no answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pintsize.apps.evidence import Answers, Evaluation, bootstrap, expected_calibration_error
from pintsize.apps.images.answer import Answer
from pintsize.apps.images.pictures import Picture, Pixels, is_picture, read_picture
from pintsize.apps.images.ranking import area_under_curve
from pintsize.apps.images.spoiling import POOR, Spoil, negative, quarter_turned
from pintsize.apps.images.xray.material import OTHERS_UNSEEN, XRays, unseen_xrays
from pintsize.apps.images.xray.xray import ONE, XRay, suspicion

#: of each set of other pictures
MOST_OTHERS = 150


def evaluate(data: Path, weights: Path | None = None) -> Evaluation:
    """data: the folder of data sets; deterministic, without torch. Raises DataError where X-rays are not there."""
    model, part = XRay.load(weights), unseen_xrays(data)
    pictures = [picture_of(x) for x in part.x]
    found = [model.chances(model.seen(p)) for p in pictures]
    answers = [model.ask(p) for p in pictures]
    figures = model.artifact.manifest.content.get("figures", {})
    sick = np.array([suspicion(row) / ONE for row in found])
    told = _answers(sick, part, model.least)
    groups = [f"{part.part} {i}" for i in range(len(sick))]
    area = bootstrap(lambda rows: area_under_curve(sick[rows], part.y[rows] == 1), groups)
    metrics = {
        "pneumonia_auc": area.value,
        **_told(answers, part.y),
        "pneumonia_calibration_error": expected_calibration_error(told),
        **{f"pneumonia_refused_{name}": share for name, share in refusals(model, pictures, data).items()},
        "pneumonia_pictures": float(len(sick)),
        "images_xray_flash_bytes": float(figures.get("program_flash_bytes", float("nan"))),
    }
    return Evaluation(metrics, {"pneumonia_auc": area}, (told,), notes_of(part))


def notes_of(part: XRays) -> tuple[str, ...]:
    """What a reader of the figures must know."""
    if part.part == "test":
        return ("X-rays: the official test part; intervals are by picture, the data names no patients.",)
    return (
        f"X-rays: the part {part.part!r}; the official test part is not there. Both were never looked at in training. "
        "The validation part was cut from the training part picture by picture, so it holds other pictures of the "
        "same patients: on the test part all published models do worse.",
        "A screening aid, not a diagnosis.",
    )


def picture_of(grey: Pixels) -> Picture:
    """A grey picture as a file would give it."""
    return Picture("", np.repeat(grey[..., None], 3, axis=2), True)


def refusals(model: XRay, pictures: list[Picture], data: Path) -> dict[str, float]:
    """Kind of spoilt or wrong picture → the share of it that is told to be ungradable or left unanswered."""
    spoilt = {name: [spoil(p) for p in pictures] for name, spoil in SPOILT.items()}
    return {
        name: float(np.mean([model.ask(p).value is None for p in some]))
        for name, some in {**spoilt, **_other_kinds(data)}.items()
        if some
    }


def _other_kinds(data: Path) -> dict[str, list[Picture]]:
    """Pictures of kinds that training did not see: in colour, and without their colours."""
    found: list[Picture] = []
    for name in OTHERS_UNSEEN:
        files = sorted(p for p in (data / name).rglob("*") if is_picture(p)) if (data / name).is_dir() else []
        chosen = (
            np.unique(np.linspace(0, len(files) - 1, min(MOST_OTHERS, len(files))).astype(int))
            if files
            else []
        )
        found += [read_picture(files[i]) for i in chosen]
    grey = [Picture(p.name, _without_colours(p.pixels), True) for p in found]
    return {"other_pictures": found, "other_pictures_grey": grey}


def _without_colours(pixels: Pixels) -> Pixels:
    return np.repeat(pixels.mean(2, keepdims=True).astype(np.uint8), 3, axis=2)


#: kinds of spoilt X-rays
SPOILT: Mapping[str, Spoil] = {
    **POOR,
    "turned_90": lambda p: quarter_turned(p, 1),
    "turned_180": lambda p: quarter_turned(p, 2),
    "negative": negative,
}


def _told(answers: list[Answer], y: NDArray[np.int64]) -> dict[str, float]:
    """What a user is told; y: (n,) 0 normal, 1 pneumonia."""
    told = np.array([a.value is not None for a in answers])
    sick = np.array([a.value == "pneumonia" for a in answers])
    right = told & (sick == (y == 1))

    def share(of: NDArray[np.bool_], among: NDArray[np.bool_]) -> float:
        return float(of[among].mean()) if among.any() else float("nan")

    return {
        "pneumonia_answered": float(told.mean()),
        "pneumonia_ungradable": float(np.mean([a.kind == "ungradable" for a in answers])),
        "pneumonia_right_of_answered": share(right, told),
        "pneumonia_sensitivity_of_answered": share(right, told & (y == 1)),
        "pneumonia_specificity_of_answered": share(right, told & (y == 0)),
    }


def _answers(sick: NDArray[np.float64], part: XRays, least: float) -> Answers:
    confidence = np.maximum(sick, 1 - sick)
    groups = [f"{part.part} {i}" for i in range(len(sick))]
    return Answers("Pneumonia", confidence, (sick >= 0.5) == (part.y == 1), groups, least)
