"""Pictures as a whole: files → gate → model → answers → sinks, on this device alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from pintsize.apps.application import Metrics, RunOptions, Said, nobody, require_folder
from pintsize.apps.evidence import Evaluation, joined
from pintsize.apps.images.answer import UNREADABLE, Answer, refused
from pintsize.apps.images.pictures import picture_files, read_picture
from pintsize.apps.images.pieces import SHIPPED, Piece, load_piece
from pintsize.errors import DataError, OutputError, UserError
from pintsize.folder import write_file
from pintsize.stream.decision import Decision
from pintsize.stream.sinks import Delivery, Entity, Keeping, Outbox, Place, Sink, refuse_leaving

NAME = "images"
PLACE = Place("Pictures", "pintsize images")
#: how answers appear in Home Assistant
ENTITIES = (
    Entity("Picture", ("label", "unsure", "ungradable", "unreadable")),
    Entity("Cells", ("counted",)),
)


@dataclass(frozen=True)
class Looked:
    """What became of pictures: answers in the order of the files, and what the sinks did with them."""

    answers: tuple[tuple[str, Answer], ...]
    deliveries: tuple[Delivery, ...]

    @property
    def kinds(self) -> dict[str, int]:
        """How many answers of each kind."""
        kinds = [answer.kind for _, answer in self.answers]
        return {kind: kinds.count(kind) for kind in sorted(set(kinds))}


@dataclass(frozen=True)
class Images:
    """The application of that name. model: which shipped one looks and is built, unless own weights are given."""

    model: str = SHIPPED[0]

    @property
    def name(self) -> str:
        return NAME

    def look(
        self,
        source: Path,
        sinks: Sequence[Sink],
        options: RunOptions | None = None,
        marked: Path | None = None,
    ) -> Looked:
        """Every picture of a file or folder, in the order of their names; the same files give the same answers.

        marked: a folder for pictures with the cells that were found drawn in. What is no picture is told and passed
        over. Raises UserError before anything is looked at; OfflineRefusal for a sink that leaves the device.
        """
        options = options or RunOptions()
        refuse_leaving(sinks, options.offline)
        piece = load_piece(self.model, options.weights)
        _require_marks(piece, marked)
        files = picture_files(source)
        outboxes = [Outbox(sink, Keeping(folder=options.outbox), options.said) for sink in sinks]
        answers: list[tuple[str, Answer]] = []
        for number, path in enumerate(files):
            name = path.name if source.is_file() else str(path.relative_to(source))
            answer = looked_at(piece, path, name, marked)
            answers.append((name, answer))
            _tell(answer.decision(number, name), outboxes)
        return Looked(tuple(answers), tuple(outbox.close() for outbox in outboxes))

    def evaluate(self, data: Path, said: Said = nobody) -> Evaluation:
        """Of the shipped models, on data that no training saw. What is not there is told and left out.

        Raises DataError where none of the data is there.
        """
        require_folder(data, "the data sets lie in it, each in a folder of its own")
        found: list[Evaluation] = []
        for piece in SHIPPED:
            said(f"{piece} …")
            try:
                found.append(import_module(f"pintsize.apps.images.{piece}.evaluation").evaluate(data))
            except DataError as error:
                said(f"{piece} is left out: {error}")
        if not found:
            raise DataError(f"{data} has none of the data sets that pictures are evaluated on")
        return joined(found)

    def train(self, samples: Path, out: Path, seed: int = 0, said: Said = nobody) -> None:
        """Own classes from `samples/<label>/<picture>`. Raises DataError for pictures that cannot be used."""
        from pintsize.apps.images.own.training import train_own

        train_own(samples, out, seed=seed, watch=said)

    def build(self, device: str, out: Path, weights: Path | None = None, said: Said = nobody) -> Metrics:
        """A model with its gate and its decision as C. Gives what it takes. Raises UserError for what does not fit."""
        from pintsize.apps.images.firmware import build

        return build(device, out, self.model, weights, said)


def looked_at(piece: Piece, path: Path, name: str, marked: Path | None = None) -> Answer:
    """The answer to one file; whatever is wrong with it is told."""
    from pintsize.apps.images.cells.cells import Cells

    try:
        picture = read_picture(path, name)
    except DataError as error:
        return refused(UNREADABLE, str(error))
    if marked is None or not isinstance(piece, Cells):
        return piece.ask(picture)
    from pintsize.apps.images.cells.marked import marked_png

    answer, found = piece.look(picture)
    if found is not None:
        _write(marked / Path(name).with_suffix(".png"), marked_png(found))
    return answer


def _write(path: Path, content: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{path.parent} cannot be made: {error.strerror}") from error
    write_file(path, content)


def _tell(decision: Decision, outboxes: Sequence[Outbox]) -> None:
    for outbox in outboxes:
        outbox.put(decision)


def _require_marks(piece: Piece, marked: Path | None) -> None:
    """Raises UserError for a model that finds no places."""
    from pintsize.apps.images.cells.cells import Cells

    if marked is not None and not isinstance(piece, Cells):
        raise UserError(
            f"--marked is for --model cells: {piece.artifact.manifest.name} tells no places in a picture"
        )


APPLICATION = Images()
