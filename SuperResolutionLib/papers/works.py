"""What the five works print, and under which degradation their networks are measured here.

A figure stands here exactly as the paper has it; a work that prints none has words in its place.
"""

from dataclasses import dataclass

from SuperResolutionLib.diffusion.guides import has_contrast
from SuperResolutionLib.errors import unknown
from SuperResolutionLib.geometry.grid import stacking_axis
from SuperResolutionLib.volume import SIGNAL, Volume


@dataclass(frozen=True)
class Figures:
    """A line of a paper's table: PSNR in dB, SSIM."""

    psnr: float
    ssim: float


@dataclass(frozen=True)
class Network:
    """One of a work's networks. name: of its recipe and its model. published: what the paper prints of it.

    beside: what it is set against: a GAN's twin, the same network trained for the least error; or the 2-D network of a
    2.5-D one.
    """

    name: str
    published: Figures | None = None
    beside: str | None = None


def game(name: str, published: Figures | None = None) -> Network:
    """A GAN, set against the twin that `train` publishes with it."""
    return Network(name, published, f"{name}-twin")


@dataclass(frozen=True)
class Case:
    """Networks that are measured together. ours: models of our own beside them. bicubic: what the paper prints of it.

    diffusion: measured on diffusion series, not on single volumes. thickest: mm between slices, of the scans that are
    taken. zero_filled: the paper's coarse slice has the fine one's matrix, so that it has figures of its own. seeds: of
    the noise, each a measurement.
    """

    degradation: str
    scale: int
    networks: tuple[Network, ...]
    ours: tuple[str, ...]
    bicubic: Figures | None = None
    diffusion: bool = False
    thickest: float = float("inf")
    zero_filled: bool = False
    seeds: tuple[int, ...] = (0,)

    @property
    def names(self) -> list[str]:
        """The work's networks, each followed by what it is set against."""
        pairs = ((network.name, network.beside) for network in self.networks)
        return list(dict.fromkeys(name for pair in pairs for name in pair if name is not None))

    def takes(self, volume: Volume) -> bool:
        """Whether a scan is of the kind that the work is about."""
        if volume.quantity != SIGNAL or volume.spacing[stacking_axis(volume)] > self.thickest:
            return False
        return has_contrast(volume) if self.diffusion else volume.count == 1

    def published(self, name: str) -> Figures | None:
        """What the paper prints of a network, or of bicubic interpolation."""
        found = {network.name: network.published for network in self.networks}
        return self.bicubic if name == "bicubic" else found.get(name)


@dataclass(frozen=True)
class Work:
    """A paper. words: what it says of its results. differs: in what ours differ from it, and what had to be guessed."""

    letter: str
    title: str
    cases: tuple[Case, ...]
    words: str
    differs: str


A = Work(
    letter="A",
    title="Super Resolution of Diffusion Tensor Images (Stanford)",
    cases=(
        Case(
            degradation="noise_down",
            scale=4,
            networks=(
                game("A-srgan-dti-x4", Figures(33.8386, 0.783874)),
                game("A-natural-image", Figures(33.785, 0.889)),
            ),
            ours=("dwi-x4", "mri-x4"),
            bicubic=Figures(34.811728, 0.889286),
            diffusion=True,
            seeds=(0, 1, 2),
        ),
    ),
    words="The paper's GAN, trained on diffusion images or on natural ones (DIV2K), lost to bicubic interpolation.",
    differs=(
        "the paper learnt from slices of 256 x 256 of 7 patients for 7 epochs and tested on 3,920 slices of 2, ours "
        "from 21 volumes of 2 people (and two dozen photographs for DIV2K's 800) for some thousand small batches, "
        "tested on series of other scanners, of smaller matrix; guessed: the noise (2 % of R, added before shrinking, "
        "as the text has it and not the formula), the kernel of shrinking (antialiased bicubic), and MAX."
    ),
)

B = Work(
    letter="B",
    title="Super-resolution of MRI with GANs (NYU)",
    cases=(
        Case("gauss_bicubic", 2, (Network("B-srresnet-x2"), game("B-srgan-x2")), ("mri-x2",)),
        Case("gauss_bicubic", 4, (Network("B-srresnet-x4"),), ("mri-x4",)),
        # The input from neighbouring slices that the paper wished for, where neighbours are near.
        Case("gauss_bicubic", 4, (Network("edsr-x4-25d", beside="edsr-x4-2d"),), ("mri-x4",), thickest=1.5),
    ),
    words=(
        "No PSNR or SSIM is printed. SRResNet: x2 good, over-fits after epoch 6; x4 loses morphology. SRGAN x2 did "
        "not converge, unstable from run to run; a small GAN collapsed even with batch normalisation. Wanted next: "
        "3-D input from neighbouring slices (measured here at x4, on scans whose slices are near)."
    ),
    differs=(
        "the paper learnt from about 4,000 slices of 110 glioma patients in 3 channels, ours from grey T1w, T2w and "
        "FLAIR heads of 9 people for a few thousand small batches, the GAN from its SRResNet on; guessed: the blur (a "
        "centred Gaussian of sigma 0.5, which has the variance of the paper's kernel of size 2)."
    ),
)

C = Work(
    letter="C",
    title="Paediatric MRI (Stanford)",
    cases=(Case("bicubic", 2, (game("C-srgan-paediatric-x2"),), ("mri-x2",)),),
    words=(
        "No PSNR or SSIM is printed. Vanishing and exploding gradients, the discriminator too strong, pixelated "
        "output, the generator loss plateaued near 50, the test loss 10-20 times the training loss."
    ),
    differs=(
        "the paper learnt from about 1,300 whole-body slices of 512 x 512 of each of 10 patients for 10 epochs and "
        "tested on 64 images, ours from heads of 9 people for some thousand small batches, without tanh, from a twin "
        "on; guessed: the layers, which are not given, and the resizing (antialiased bicubic)."
    ),
)

D = Work(
    letter="D",
    title="Super-resolution MRI through deep learning (RPI/Stanford; Lyu, You, Shan, Wang)",
    cases=(
        Case(
            degradation="k_space",
            scale=2,
            networks=(
                game("D-gan-cpce-x2", Figures(33.2031, 0.9563)),
                game("D-gan-circle-x2", Figures(32.2995, 0.9465)),
            ),
            ours=("mri-x2",),
            zero_filled=True,
        ),
    ),
    words="The paper has no row for the coarse (zero-filled) images and none for bicubic interpolation.",
    differs=(
        "the paper learnt from 8,000 T2w slices of 256 x 256 (IXI, 1.5 T) for 100 epochs and tested on 955, ours from "
        "T1w, T2w and FLAIR heads of 9 people for a few thousand small batches, from a twin on, and the networks "
        "start from a windowed sinc of the coarse slice for the paper's zero-filled one; guessed: the weights of the "
        "losses, which are not printed (the cited originals' in part), and MAX."
    ),
)

E = Work(
    letter="E",
    title="Optimisation and applications of deep learning for SR in MRI (Bologna)",
    cases=(
        Case("bicubic_blur3", 2, (Network("E-edsr-x2"),), ("mri-x2",)),
        Case("bicubic_blur3", 4, (Network("E-wdsr-x4"),), ("mri-x4",)),
    ),
    words=(
        "No mean figure is printed: PSNR and SSIM are lines by slice against bicubic, which the two methods' lines "
        "intersect; errors are largest at the scalp, and a background that is not zero moves the scores."
    ),
    differs=(
        "the paper's networks came pre-trained on natural images and were shown T1w and T2w of 5 patients, 176 slices "
        "of 256 x 256 each; ours learn from T1w, T2w and FLAIR heads of 9 people, EDSR at 16 blocks of 64 features "
        "for the paper's 32 of 256, WDSR at the paper's size; guessed: that the shrinking is antialiased, and the "
        "edges."
    ),
)

WORKS = {work.letter: work for work in (A, B, C, D, E)}


def by_letter(letter: str) -> Work:
    """The work of a letter, large or small. Raises InputError for another one."""
    if letter.upper() not in WORKS:
        raise unknown("work", letter, WORKS)
    return WORKS[letter.upper()]
