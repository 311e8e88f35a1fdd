"""The range of looks among the structural training scans, as the networks were shown them.

Printed by benchmarks/trained_ranges.py: 12 slices in the middle of each scan, made coarser by k-space truncation,
bicubic shrinking with and without blur, and area means.
"""

from SuperResolutionLib.quality.scan_statistics import Look

RANGES = {
    2: (Look(contrast=0.635, noise=0.0020, sharpness=0.0077), Look(contrast=1.744, noise=0.0404, sharpness=0.275)),
    4: (Look(contrast=0.625, noise=0.0035, sharpness=0.0137), Look(contrast=1.815, noise=0.0563, sharpness=0.438)),
}
"""scale -> (lowest, highest)."""
