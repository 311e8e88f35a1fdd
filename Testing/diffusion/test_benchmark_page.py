"""The page of the diffusion benchmark: gains against the best of each measure, gates that can fail."""

import pytest

from benchmarks.diffusion_report import HELD_OUT, MEASURES, best, gain, report
from SuperResolutionLib.physics.interpolating import METHODS


def row(**changes: float) -> dict[str, object]:
    plain = dict.fromkeys(MEASURES, 0.01) | {
        "psnr": 30.0,
        "ssim": 0.9,
        "fa": 0.1,
        "fa_white": 0.1,
        "md": 0.2,
        "angle": 6.0,
    }
    return {**plain, "fa_fluid": 0.15, "below_zero": 0, "seconds": 1.0, "sha256": "", **changes}


@pytest.fixture
def rows():
    """All sites, k_space x2: sinc is the best but in MD, where linear is; dwi-x2 is better by just enough."""
    found: dict[str, dict[str, object]] = {}
    for site in HELD_OUT:
        found[f"{site}|truth|x2|"] = {"fa_fluid": 0.16}
        for method in METHODS:
            found[f"{site}|k_space|x2|{method}"] = row()
        found[f"{site}|k_space|x2|sinc"] = row(psnr=31.0, ssim=0.92, fa_white=0.09, md=0.19, angle=5.0)
        found[f"{site}|k_space|x2|linear"] = row(md=0.18)
        found[f"{site}|k_space|x2|dwi-x2"] = row(psnr=32.3, ssim=0.93, fa_white=0.08, md=0.15, angle=4.9)
    return found


def verdicts(rows) -> dict[str, str]:
    lines = [line.split(" | ") for line in report(rows, list(HELD_OUT)).splitlines() if line.startswith("| dwi-x2,")]
    return {cells[0]: cells[-1] for cells in lines}


def test_the_best_is_taken_for_each_measure_separately(rows):
    site = HELD_OUT[0]
    assert best(rows, site, "k_space", "x2", "psnr") == 31.0
    assert best(rows, site, "k_space", "x2", "md") == 0.18
    assert gain(rows, site, "k_space", "x2", "dwi-x2", "psnr") == pytest.approx(1.3)
    assert gain(rows, site, "k_space", "x2", "dwi-x2", "md") == pytest.approx(1 / 6)
    assert gain(rows, site, "k_space", "x2", "dwi-x2", "angle") == pytest.approx(0.1)


def test_a_model_that_is_better_by_enough_passes(rows):
    found = verdicts(rows)
    measured = {gate: verdict for gate, verdict in found.items() if "k_space" in gate}
    assert len(measured) == 4
    assert set(measured.values()) == {"**passed** |"}
    assert all(verdict == "- |" for gate, verdict in found.items() if "bicubic" in gate)
    assert all(verdict == "**passed** |" for gate, verdict in found.items() if "S/S0" in gate or "fluid" in gate)


@pytest.mark.parametrize(
    ("change", "gate"),
    [
        ({"psnr": 32.1}, "k_space x2: PSNR"),
        ({"md": 0.181}, "k_space x2: MD error"),
        ({"fa_white": 0.091}, "k_space x2: FA white error"),
        ({"angle": 5.1}, "k_space x2: angle"),
        ({"signal_ratio": 0.021}, "S/S0"),
        ({"fa_fluid": 0.25}, "FA in cerebrospinal fluid"),
        ({"below_zero": 1}, "below zero"),
    ],
)
def test_one_worse_site_fails_its_gate_alone(rows, change, gate):
    rows[f"{HELD_OUT[1]}|k_space|x2|dwi-x2"].update(change)
    failed = [name for name, verdict in verdicts(rows).items() if "FAILED" in verdict]
    assert len(failed) == 1
    assert gate in failed[0]


def test_a_missing_site_is_said(rows):
    del rows[f"{HELD_OUT[0]}|k_space|x2|dwi-x2"]
    assert all("not all sites" in verdict for gate, verdict in verdicts(rows).items() if "k_space" in gate)
