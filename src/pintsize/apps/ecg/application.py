"""The portable ECG as a whole: source → beats → classes → rhythm → triage → sinks, on this device alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pintsize.apps.application import Metrics, RunOptions, Said, nobody
from pintsize.apps.ecg.monitoring import Monitoring
from pintsize.apps.ecg.pieces import Pieces, load_pieces
from pintsize.apps.ecg.quality import RATE_HZ
from pintsize.apps.ecg.study import Study
from pintsize.apps.evidence import Evaluation
from pintsize.apps.stages import AppReport, app_report, shipped_energy
from pintsize.errors import UserError
from pintsize.stream.convert import INT16_FULL_SCALE, Conversion
from pintsize.stream.health import HealthLimits
from pintsize.stream.run import run
from pintsize.stream.settings import Settings
from pintsize.stream.sinks import Keeping, Sink
from pintsize.stream.source import Source

NAME = "ecg"
#: the lead that is looked at, where a source has several
LEAD = 0


@dataclass(frozen=True)
class PortableEcg:
    """The `Application` of that name. rate_hz: of the raw samples that its program in C takes."""

    rate_hz: int = RATE_HZ

    @property
    def name(self) -> str:
        return NAME

    def run(
        self,
        source: Source,
        sinks: Sequence[Sink],
        options: RunOptions | None = None,
        pieces: Pieces | None = None,
    ) -> AppReport:
        """Runs until the source ends; its samples are counts of 5 µV or say by `full_scale` what they are.

        pieces: others than those of `options.weights`.
        Raises UserError, before anything runs, for what does not fit together; OfflineRefusal for a sink that leaves
        the device.
        """
        return self.studied(source, sinks, options, pieces, keep=False)[0]

    def studied(
        self,
        source: Source,
        sinks: Sequence[Sink],
        options: RunOptions | None = None,
        pieces: Pieces | None = None,
        keep: bool = True,
    ) -> tuple[AppReport, Study]:
        """As `run`, and what the (last) recording showed; keep: with its beats and its signal, for a page."""
        options = options or RunOptions()
        pieces = pieces or load_pieces(options.weights)
        decider = Monitoring(pieces, keep)
        beats = pieces.beats
        mj_per_step, device = shipped_energy(beats.artifact.manifest)
        settings = Settings(
            conversion=Conversion(RATE_HZ, (LEAD,), "int16"),
            full_scale=beats.artifact.input.scale * INT16_FULL_SCALE,  # counts are its codes
            hop_samples=_hop_of(pieces),
            limits=_limits(source),
            live=options.live,
            mj_per_step=mj_per_step,
            energy_device=device,
            offline=options.offline,
            keeping=Keeping(folder=options.outbox),
        )
        beats.artifact.reset()
        report = run(source, beats.artifact, decider, sinks, settings, options.recorder, options.said)
        return app_report(report, decider.stages), decider.study

    def evaluate(self, data: Path, said: Said = nobody) -> Evaluation:
        """The pieces' metrics and those of the whole, on patients that no training saw.

        Raises DataError where the data is not there.
        """
        from pintsize.apps.ecg.evaluation import evaluate

        return evaluate(data, said)

    def build(
        self,
        device: str,
        out: Path,
        weights: Path | None = None,
        said: Said = nobody,
    ) -> Metrics:
        """The application as C: raw samples in, decisions out. Gives what it takes on the device.

        Raises DeviceError for one that is not known, UserError for a rate that cannot be reached.
        """
        from pintsize.apps.ecg.firmware import build

        return build(device, out, weights, said, self.rate_hz)


def _limits(source: Source) -> HealthLimits:
    """Flat lines and clipping are the gate's, in integers that C has too.

    Where the samples are converted to another rate, flat tops are seen before that alone.
    """
    return HealthLimits(flat_s=None, clip_share=None if source.rate_hz == RATE_HZ else 0.02)


def _hop_of(pieces: Pieces) -> int:
    """Each hop must be new samples alone: they are also the windows'."""
    beats = pieces.beats
    if beats.rate_hz != RATE_HZ or beats.artifact.input.elements != beats.hop_samples:
        raise UserError(
            f"{beats.artifact.manifest.name} takes {beats.artifact.input.elements} samples at {beats.rate_hz} Hz every "
            f"{beats.hop_samples}: a detector of steps at {RATE_HZ} Hz is needed"
        )
    return beats.hop_samples


APPLICATION = PortableEcg()
