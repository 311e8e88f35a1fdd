"""What is wanted of a scan: which network, what grid, and where it runs."""

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from SuperResolutionLib.geometry.sampling import Sampling
from SuperResolutionLib.methods import catalogue
from SuperResolutionLib.methods.denoised import PUT_BACK, Denoised
from SuperResolutionLib.methods.method import Method, Restoration, Runtime
from SuperResolutionLib.volume import TENSOR, Volume

if TYPE_CHECKING:
    from SuperResolutionLib.methods.catalogue import Network


@dataclass(frozen=True, kw_only=True)
class Request:
    """What is wanted of every scan of a command.

    model: a name or a .safetensors file, None for the one that suits the scan. put_back: how what was measured is
    put back. denoise: the share of a scanner's noise that stays out. denoise_first: whether a diffusion series is
    cleared of noise by MP-PCA before the network. thickness: mm of the acquired slices, None for what the file says.
    as_intensities: whether the voxels count as intensities whatever they look like. overwrite: whether outputs that
    were made in another way are replaced.
    """

    model: str | None = None
    sampling: Sampling = field(default_factory=Sampling)
    runtime: Runtime = field(default_factory=Runtime)
    put_back: str = "auto"
    denoise: float = 1.0
    denoise_first: bool = False
    thickness: float | None = None
    as_intensities: bool = False
    overwrite: bool = False

    def wish(self) -> dict[str, Any]:
        """What the result hangs on beside the scan, as plain values: not where it runs, nor on how many threads."""
        from SuperResolutionLib.methods import zoo

        return {
            "model": None if self.model is None else zoo.read_card(zoo.find(self.model)).sha256,
            "sampling": {key: _plain(value) for key, value in asdict(self.sampling).items()},
            "precision": self.runtime.precision,
            "ensemble": self.runtime.ensemble,
            "put_back": self.put_back,
            "denoise": self.denoise,
            "thickness": self.thickness,
            "as_intensities": self.as_intensities,
            **({"denoise_first": True} if self.denoise_first else {}),  # results without it are known again as before
        }

    def method(self, volume: Volume, uncertainty: bool = False) -> "Network | Denoised":
        """What makes it of a scan. uncertainty: whether it also tells how far its turns disagree.

        Raises InputError where there is no such model.
        """
        put_back = PUT_BACK if self.denoise_first and self.put_back == "auto" else self.put_back
        network = catalogue.network(volume, self.model, self.sampling, put_back, uncertainty, self.denoise)
        return Denoised(network) if self.denoise_first else network

    def prepared(self, volume: Volume) -> Volume:
        """The scan with the thickness and the meaning that are given to it."""
        known = volume if self.thickness is None else volume.with_thickness(self.thickness)
        return known.as_intensities() if self.as_intensities else known


def said(result: Restoration, method: Method, request: Request) -> dict[str, Any]:
    """What the sidecar of an enhanced image says of the work."""
    record = result.record
    return {
        "plane": request.sampling.plane,
        "operation": "enhance",
        "model": record.method,
        **{key: value for key, value in record.as_table().items() if key not in ("method", "seconds")},
        "slice": request.sampling.only,
        "ensemble": bool(request.runtime.ensemble) or result.uncertainty is not None,
        "consistent": request.put_back == "k_space",
        "denoise": request.denoise,
        "ran": record.ran,
        "seconds": round(record.seconds, 3),
        **({"space": "log-Euclidean"} if result.volume.quantity == TENSOR else {}),
        "scale": _scale(method),
    }


def _scale(method: Method) -> int | None:
    """How many times finer in plane, of a model that does just this."""
    model = getattr(method, "model", None)
    return None if model is None or model.card.thins else int(model.card.scale)


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value
