"""The voice assistant as a whole: source → wake word → phrase → digit or order → sinks, on this device alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pintsize.apps.application import Metrics, RunOptions, Said, nobody
from pintsize.apps.assistant.actions import with_action
from pintsize.apps.assistant.listening import Assistant, Listening
from pintsize.apps.assistant.pieces import RATE_HZ, Pieces, TextPiece, load_pieces, load_understanding
from pintsize.apps.assistant.reading import PhraseReader, decision_of
from pintsize.apps.evidence.evaluation import Evaluation
from pintsize.apps.stages import AppReport, app_report, shipped_energy
from pintsize.errors import UserError
from pintsize.stream.convert import Conversion
from pintsize.stream.run import run
from pintsize.stream.settings import Settings
from pintsize.stream.sinks import Delivery, Keeping, Outbox, Sink, refuse_leaving
from pintsize.stream.source import Source

NAME = "assistant"
#: what every piece on sound takes
CONVERSION = Conversion(RATE_HZ, "mean", "int16")


class VoiceAssistant:
    """The `Application` of that name."""

    name = NAME

    def run(
        self,
        source: Source,
        sinks: Sequence[Sink],
        options: RunOptions | None = None,
        pieces: Pieces | None = None,
        listening: Listening | None = None,
    ) -> AppReport:
        """Runs until the source ends. pieces: others than those of `options.weights`.

        Raises UserError, before anything runs, for what does not fit together; OfflineRefusal for a sink that leaves
        the device.
        """
        options = options or RunOptions()
        pieces = pieces or load_pieces(options.weights)
        reader = PhraseReader(pieces)
        wake = pieces.wake
        mj_per_step, device = shipped_energy(wake.artifact.manifest)
        settings = Settings(
            conversion=CONVERSION,
            hop_samples=_hop_of(pieces),
            live=options.live,
            mj_per_step=mj_per_step,
            energy_device=device,
            offline=options.offline,
            keeping=Keeping(folder=options.outbox),
        )
        decider = Assistant(wake, reader, listening)
        wake.artifact.reset()
        report = run(source, wake.artifact, decider, sinks, settings, options.recorder, options.said)
        return app_report(report, reader.stages)

    def understand(
        self,
        text: str,
        sinks: Sequence[Sink],
        options: RunOptions | None = None,
        piece: TextPiece | None = None,
    ) -> tuple[Delivery, ...]:
        """A typed sentence in place of a spoken one, to the same sinks.

        Raises UserError for no text, OfflineRefusal for a sink that leaves the device.
        """
        options = options or RunOptions()
        if not text.strip():
            raise UserError("--text is empty: write what should be understood")
        refuse_leaving(sinks, options.offline)
        decision = decision_of((piece or load_understanding(options.weights)).understand(text), 0.0)
        outboxes = [Outbox(sink, Keeping(folder=options.outbox), options.said) for sink in sinks]
        for told in with_action(decision):
            for outbox in outboxes:
                outbox.put(told)
        return tuple(outbox.close() for outbox in outboxes)

    def evaluate(self, data: Path, said: Said = nobody) -> Evaluation:
        """The pieces' metrics on data that no training saw. Raises DataError where none of the data is there."""
        from pintsize.apps.assistant.evaluation import evaluate

        return Evaluation(evaluate(data, said))

    def train(self, samples: Path, out: Path, seed: int = 0, said: Said = nobody) -> None:
        """Own wake words and orders from a folder of labelled clips. Raises DataError for clips that cannot be used."""
        from pintsize.apps.assistant.training import train_own

        train_own(samples, out, seed, said)

    def build(self, device: str, out: Path, weights: Path | None = None, said: Said = nobody) -> Metrics:
        """The assistant as C. Gives what it takes on the device. Raises DeviceError for one that is not known."""
        from pintsize.apps.assistant.firmware import build

        return build(device, out, weights, said)


def _hop_of(pieces: Pieces) -> int:
    """Each hop must be new samples alone: they are also the phrase's."""
    wake = pieces.wake
    if wake.artifact.input.elements != wake.hop_samples:
        raise UserError(
            f"{wake.artifact.manifest.name} takes {wake.artifact.input.elements} samples every {wake.hop_samples}: "
            "the wake word must be an artifact of steps (ship it with stream=…)"
        )
    return wake.hop_samples


APPLICATION = VoiceAssistant()
