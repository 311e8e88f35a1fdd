"""A diffusion series cleared of noise by MP-PCA before another method restores it.

What MP-PCA leaves is no longer what the scanner measured: on the validation series, with noise, it was taken for a scan
that had been shrunk as an image, and putting it back into the result made every error larger but the bias of FA. So
where nobody asks otherwise a network puts nothing of it back (PUT_BACK).
"""

import time
from collections.abc import Generator
from dataclasses import dataclass, replace

from SuperResolutionLib.diffusion import mppca
from SuperResolutionLib.geometry.sampling import Sampling
from SuperResolutionLib.methods import zoo
from SuperResolutionLib.methods.method import Method, Restoration, Runtime
from SuperResolutionLib.progress import Progress, within
from SuperResolutionLib.volume import Volume

PUT_BACK = "none"


@dataclass(frozen=True, eq=False)
class Denoised:
    """`method`, of a series without its noise. The record says what was taken out, and by which DIPY."""

    method: Method

    @property
    def name(self) -> str:
        """Both names."""
        return f"MP-PCA + {self.method.name}"

    @property
    def classical(self) -> bool:
        """Whether the method is; MP-PCA is no network."""
        return self.method.classical

    @property
    def model(self) -> zoo.Model | None:
        """The method's model, where it is one network."""
        return getattr(self.method, "model", None)

    def unusual(self, volume: Volume, sampling: Sampling) -> list[str]:
        """What of the scan the method has not seen in training."""
        look = getattr(self.method, "unusual", None)
        return [] if look is None else look(volume, sampling)

    def steps(self, volume: Volume, sampling: Sampling) -> int:
        """How many steps of progress a restoration has."""
        return mppca.steps(volume) + self.method.steps(volume, sampling)

    def restore(self, volume: Volume, sampling: Sampling, runtime: Runtime) -> Generator[Progress, None, Restoration]:
        """Denoise, then restore; everything that can be refused is refused at once.

        Raises InputError as `mppca.check` and the method do.
        """
        mppca.check(volume)
        self.method.restore(volume, sampling, runtime).close()  # which refuses what it cannot make
        return self._restoring(volume, sampling, runtime)

    def _restoring(
        self, volume: Volume, sampling: Sampling, runtime: Runtime
    ) -> Generator[Progress, None, Restoration]:
        began, total, before = time.monotonic(), self.steps(volume, sampling), mppca.steps(volume)
        cleared = yield from within(mppca.denoising(volume), 0, total, began)
        work = self.method.restore(cleared.volume, sampling, runtime)
        made = yield from within(work, before, total, began)
        record = replace(made.record, method=self.name, denoised_first=cleared.about, seconds=time.monotonic() - began)
        return replace(made, record=record)
