"""What a file's name says its voxels are, where they are no intensities."""

import re

LABELS, PHASE, COMPLEX, MAP = "labels", "phase", "part of complex numbers", "map"
_NAMES = (
    (
        LABELS,
        re.compile(r"(^|[_.-])((d|prob|a|wm)?seg(mentation)?|mask|labels?|labelmap|parc|(aparc.*\+)?aseg)$", re.I),
    ),
    (PHASE, re.compile(r"(^|[_-])part-phase([_-]|$)|(^|_)(phase\d?|phasediff|ph)$", re.I)),
    (COMPLEX, re.compile(r"(^|[_-])part-(real|imag|imaginary)([_-]|$)|_(real|imag|imaginary)$", re.I)),
    (MAP, re.compile(r"(^|_)(ADC|FA|MD|V[123]|(?i:rgb|col(ou?r)?)[_-]?FA)$")),
)


def kind_named(stem: str) -> str:
    """The kind that a name without its extension stands for, as BIDS and dcm2niix name files; "" for intensities."""
    return next((kind for kind, pattern in _NAMES if pattern.search(stem)), "")
