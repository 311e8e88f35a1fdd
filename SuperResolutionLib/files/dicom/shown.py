"""What an image shows, beside where: a part of the complex signal, a map, water or fat, a localizer."""

import re

from pydicom.dataset import Dataset

from SuperResolutionLib.files.dicom.headers import find, image_type, listed, private

_PARTS = {"M": "", "MAGNITUDE": "", "P": "phase", "PHASE": "phase", "PHASE MAP": "phase", "PHASE_MAP": "phase"}
_PARTS |= {"R": "real part", "REAL": "real part", "I": "imaginary part", "IMAGINARY": "imaginary part"}
_GE = ("MAGNITUDE", "PHASE", "REAL", "IMAGINARY")  # (0043,102F) counts them
_CONTRASTS = {
    "water": ("W", "WATER", "WATER_ONLY"),
    "fat": ("F", "FAT", "FAT_ONLY"),
    "in phase": ("IP", "IN_PHASE", "INPHASE", "IN PHASE", "IN-PHASE"),
    "opposed phase": ("OP", "OPP_PHASE", "OUT_PHASE", "OUTPHASE", "OUT PHASE", "OPPOSED_PHASE", "OPPOSED PHASE"),
    "trace-weighted": ("TRACEW", "TRACE", "DIFFUSION_ATTNTD"),
}
_MAPS = {
    "ADC map": ("ADC", "ADC_UNSPECIFIED", "AVERAGE_DC", "APPARENT_DC", "MD"),
    "exponential ADC map": ("EADC", "EXP_ADC", "EXPONENTIAL_ADC"),
    "FA map": ("FA", "FRACT_ANISO", "FRACTIONAL_ANISO", "DIFFUSION_ANISO", "COLFA"),
    "tensor": ("TENSOR",),
    "velocity map": ("VELOCITY", "V"),
    "fat fraction": ("FF", "FAT_FRACTION", "FATFRACTION", "FAT FRACTION", "PDFF", "FAT_FRAC"),
    "water fraction": ("WATER_FRACTION", "WATERFRACTION", "WATER FRACTION", "WF"),
    "perfusion map": ("CBF", "RCBF", "CBV", "RCBV", "MTT", "TTP", "TMAX", "RELCBF", "RELCBV", "RELMTT"),
    "temperature map": ("TEMPERATURE",),
}
_SIGNAL_MAPS = ("TIME_INTENSITY_MAP",)  # called a map, and made of signal
_LOCALIZER = re.compile(
    r"(?<![a-z])(locs?(?![a-z])|locali[sz]|lokali|scouts?(?![a-z])|survey|topogram|3-?pl(ane)?s?\b)"
)
_CAPTURES = ("SCREEN SAVE", "SCREENSAVE", "SCREEN_SAVE", "SCREENSHOT", "CSA REPORT", "CSAPARALLEL")


def kind(levels: list[Dataset]) -> str:
    """What the voxels are where they are no magnitude: "phase", "real part", "ADC map" ...; "" for magnitude."""
    words = image_type(levels)
    derived = next((name for name, known in _MAPS.items() if set(known) & set(words[2:])), "")
    if derived:
        return derived
    part = next((part for part in _parts(levels, words) if part), "")
    called = next((word for word in words[2:] if word.endswith(("MAP", "MAPS")) and word not in _SIGNAL_MAPS), "")
    return part or called.replace("_", " ").replace(" MAP", " map")


def contrast(levels: list[Dataset]) -> str:
    """Which of several images of one signal it is: "water", "fat", "in phase", "opposed phase", "trace-weighted"."""
    words = set(image_type(levels)[2:])
    return next((name for name, known in _CONTRASTS.items() if set(known) & words), "")


def is_localizer(levels: list[Dataset]) -> bool:
    """Whether an image is there to plan others on, by its type and by what its series is called."""
    names = " ".join(str(find(levels, word) or "") for word in ("SeriesDescription", "ProtocolName"))
    return "LOCALIZER" in image_type(levels) or _LOCALIZER.search(names.lower().replace("_", " ")) is not None


def has_place(levels: list[Dataset]) -> bool:
    """Whether an image says where it lies in the patient."""
    return all(find(levels, word) for word in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing"))


def picture(levels: list[Dataset]) -> str:
    """Why an image is a picture rather than a part of a scan: a screen capture, in colour ...; "" for a part."""
    if int(find(levels, "SamplesPerPixel") or 1) > 1 or "PALETTE" in str(find(levels, "PhotometricInterpretation")):
        return "in colour"
    if set(_CAPTURES) & set(image_type(levels)):
        return "screen capture"
    if "Secondary Capture" in str(getattr(find(levels, "SOPClassUID"), "name", "")):
        return "secondary capture"
    return "" if has_place(levels) else "without a place in the patient"


def _parts(levels: list[Dataset], words: list[str]) -> list[str]:
    """The part of the complex signal as each element that may know it says."""
    header = levels[-1]
    stated = [str(find(levels, "ComplexImageComponent") or "").upper()]
    stated += [str(private(header, 0x2005, "Philips MR Imaging DD 001", 0x11) or "").upper()]  # MR Image Type
    counted = listed(private(header, 0x0043, "GEMS_PARM_01", 0x2F))
    if counted and str(counted[0]).strip() in ("0", "1", "2", "3"):
        stated += [_GE[int(counted[0])]]
    stated += [re.sub(r"^([MPRI])_[A-Z]+$", r"\1", word) for word in words[2:]]  # Philips: M_FFE
    return [_PARTS[word] for word in stated if word in _PARTS]
