"""The page of the diffusion benchmark: gains against the best of each measure, gates that can fail."""

import pytest

from benchmarks.diffusion_report import DENOISED, HELD_OUT, MEASURES, TRUTH, best, gain, report
from benchmarks.results import Row, find
from SuperResolutionLib.physics.interpolating import METHODS


def figures(**changes: float) -> dict[str, object]:
    plain = dict.fromkeys(MEASURES, 0.01) | {
        "psnr": 30.0,
        "psnr_weighted": 33.0,
        "ssim": 0.9,
        "fa": 0.1,
        "fa_white": 0.1,
        "md": 0.2,
        "angle": 6.0,
    }
    return {**plain, "fa_fluid": 0.15, "below_zero": 0, "seconds": 1.0, **changes}


@pytest.fixture
def rows():
    """All sites, k_space x2: sinc is the best but in MD, where linear is; dwi-x2 is better by just enough."""
    own = {
        **{method: figures() for method in METHODS},
        "sinc": figures(psnr=31.0, ssim=0.92, fa_white=0.09, md=0.19, angle=5.0),
        "linear": figures(md=0.18),
        "dwi-x2": figures(psnr=32.3, ssim=0.93, fa_white=0.08, md=0.15, angle=4.9),
    }
    truths = [Row(TRUTH, site, "", 2, figures={"fa_fluid": 0.16}) for site in HELD_OUT]
    return truths + [Row(m, site, "k_space", 2, figures=dict(own[m])) for site in HELD_OUT for m in own]


def verdicts(rows) -> dict[str, str]:
    lines = [line.split(" | ") for line in report(rows, list(HELD_OUT)).splitlines() if line.startswith("| dwi-x2,")]
    return {cells[0]: cells[-1] for cells in lines}


def test_the_best_is_taken_for_each_measure_separately(rows):
    site = HELD_OUT[0]
    assert best(rows, site, "psnr") == 31.0
    assert best(rows, site, "md") == 0.18
    assert gain(rows, site, "dwi-x2", "psnr") == pytest.approx(1.3)
    assert gain(rows, site, "dwi-x2", "md") == pytest.approx(1 / 6)
    assert gain(rows, site, "dwi-x2", "angle") == pytest.approx(0.1)


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
    find(rows, scan=HELD_OUT[1], model="dwi-x2").figures.update(change)
    failed = [name for name, verdict in verdicts(rows).items() if "FAILED" in verdict]
    assert len(failed) == 1
    assert gate in failed[0]


def test_a_missing_site_is_said(rows):
    rows.remove(find(rows, scan=HELD_OUT[0], model="dwi-x2"))
    assert all("not all sites" in verdict for gate, verdict in verdicts(rows).items() if "k_space" in gate)


def test_losses_stand_first_with_their_mean(rows):
    find(rows, scan=HELD_OUT[0], model="dwi-x2").figures["fa_white"] = 0.1
    page = report(rows, list(HELD_OUT))
    assert "## Losses" in page.split("## Gates")[0]
    line = f"- dwi-x2, k_space x2, FA white: {HELD_OUT[0]} -11.1%; not in the mean (+6.7%)"
    assert line in page.splitlines()


def test_removing_noise_before_sinc_counts_among_the_best_where_it_was_measured(rows):
    site = HELD_OUT[0]
    rows.append(Row(DENOISED, site, "k_space", 2, figures=figures(psnr=31.5)))
    assert best(rows, site, "psnr") == 31.5
    assert f"| {site} | {DENOISED} |" in report(rows, list(HELD_OUT))
