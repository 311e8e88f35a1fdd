"""A subject is one subject however many scans there are of it, and few subjects get no p value."""

import numpy as np
import pytest
from scipy.stats import wilcoxon

from SuperResolutionLib.quality.statistics import paired


def test_a_subject_with_many_scans_counts_once():
    found = paired({"a": [1.0, 2.0, 3.0], "b": [4.0]})
    assert found.mean == 3.0
    assert (found.subjects, found.volumes) == (2, 4)
    assert found.worst == 1.0


def test_a_win_is_counted_by_scan():
    assert paired({"a": [1.0, -1.0], "b": [0.5, 0.0]}).wins == 0.5


def test_the_interval_is_that_of_the_mean_and_the_same_each_time():
    rng = np.random.default_rng(3)
    differences = {str(k): [x] for k, x in enumerate(rng.normal(1, 0.5, 40))}
    found = paired(differences)
    assert found == paired(differences)
    values = np.concatenate(list(differences.values()))
    half = 1.96 * values.std() / np.sqrt(40)
    assert found.low == pytest.approx(values.mean() - half, abs=0.03)
    assert found.high == pytest.approx(values.mean() + half, abs=0.03)


def test_one_subject_has_no_interval():
    found = paired({"a": [1.0, 2.0]})
    assert (found.low, found.high, found.p) == (None, None, None)


@pytest.mark.parametrize(("subjects", "told"), [(5, False), (6, True)])
def test_a_p_value_is_told_from_six_subjects_on(subjects, told):
    differences = {str(k): [0.1 + k] for k in range(subjects)}
    found = paired(differences)
    assert (found.p is not None) == told
    if told:
        assert found.p == pytest.approx(wilcoxon([v for (v,) in differences.values()]).pvalue)
        assert found.p < 0.05


def test_no_difference_at_all_has_no_p_value():
    assert paired({str(k): [0.0] for k in range(8)}).p is None
