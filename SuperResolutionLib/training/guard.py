"""When a training is stopped, and which of its epochs is kept."""

from typing import Any, Protocol

from SuperResolutionLib.errors import InputError

FALL = 1.0  # dB of validation PSNR below its first epoch that end a supervised training
NOT_FINITE = "the loss is not finite"

Figures = dict[str, float]


def fallen(figures: Figures, start: Figures, most: float) -> str | None:
    """Why a training must stop, None if it may go on: its validation PSNR is more than `most` dB below the start's."""
    lost = start.get("psnr_head", 0.0) - figures.get("psnr_head", 0.0)
    if lost <= most:
        return None
    return f"the validation PSNR is {lost:.2f} dB below the start's, more than {most:g}"


def keep_best(best: dict[str, Any] | None, figures: Figures) -> bool:
    """Whether a supervised epoch is to be kept: the one of greatest gain is."""
    return best is None or figures["gain"] > best["figures"]["gain"]


def keep_last(twin: Figures, figures: Figures, most: float) -> bool:
    """Whether an epoch of a game is to be kept: the last one is that is near enough to the twin and above bicubic.

    By PSNR alone it would always be the twin, which minimises the square error: a game can only lose it. Near enough:
    at most `most` dB below the twin. Above bicubic: in PSNR and SSIM.
    """
    if "psnr_head" not in figures:
        return True
    return fallen(figures, twin, most) is None and figures["gain"] > 0 and figures["ssim_gain"] > 0


def eased(ease: float, twin: Figures, before: Figures, figures: Figures, most: float) -> float:
    """What is left of the game's weight: it is halved after an epoch that used up more than half of `most`.

    Not after one that came nearer to the twin than the epoch before it: the halving of then is at work.
    ease: what was left before. figures: of this epoch; twin, before: of the twin and of the epoch before.
    """
    nearer = figures.get("psnr_head", 0.0) > before.get("psnr_head", 0.0)
    return ease / 2 if fallen(figures, twin, most / 2) and not nearer else ease


class Stoppable(Protocol):
    """A training: its step, the epoch that is kept, its curves, and why it stopped."""

    step: int
    best: dict[str, Any] | None
    history: list[dict[str, Any]]
    stopped: str | None


def stop(run: Stoppable, reason: str) -> str:
    """Stop a training that has an epoch to keep; returns why, in a sentence, which the curves have as well."""
    assert run.best is not None
    run.stopped = f"stopped at step {run.step}: {reason}; step {run.best['step']} is kept"
    run.history.append({"step": run.step, "note": run.stopped})
    return run.stopped


def diverged(step: int) -> InputError:
    """What is said where there is nothing to keep."""
    return InputError(f"Training diverged at step {step}: {NOT_FINITE}; lower the learning rate.")
