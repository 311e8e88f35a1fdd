"""Where a NIfTI file lies: two forms, sizes and codes, agreed upon, warned about or refused. Faults B."""

import warnings
from dataclasses import replace

import nibabel
import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

import SuperResolutionLib as sr
from SuperResolutionLib.files import ScanWarning, read, write
from SuperResolutionLib.geometry.grid import single_slice
from SuperResolutionLib.geometry.sampling import Sampling
from SuperResolutionLib.volume import Volume

SIZES = np.array([2.0, 2.0, 4.0])
VOXELS = np.random.default_rng(1).integers(0, 900, (8, 6, 5)).astype(np.int16)  # x, y, z
LPS = np.array([-1.0, -1.0, 1.0])
REGULAR = np.array([[-2.0, 0, 0, 10], [0, 2, 0, -20], [0, 0, 4, 5], [0, 0, 0, 1]])


def turned(degrees, away=(0.0, 0.0, 0.0), affine=REGULAR):
    """The affine turned about the middle of the image and moved, mm."""
    middle = (affine @ [*((np.array(VOXELS.shape) - 1) / 2), 1])[:3]
    turn = Rotation.from_euler("z", degrees, degrees=True).as_matrix()
    result = affine.copy()
    result[:3, :3] = turn @ affine[:3, :3]
    result[:3, 3] = turn @ (affine[:3, 3] - middle) + middle + away
    return result


def save(path, sform=None, qform=None, codes=(1, 1), voxels=VOXELS, **fields):
    """A file with these forms and codes (sform, qform) and header fields, whatever they say."""
    image = nibabel.Nifti1Image(voxels, None, dtype=voxels.dtype)
    header = image.header
    header.set_zooms((*SIZES, *[1] * (voxels.ndim - 3)))
    if qform is not None:
        header.set_qform(qform, 1)
    if sform is not None:
        header.set_sform(sform, 1)
    header["sform_code"], header["qform_code"] = codes
    for name, value in fields.items():
        header[name] = value
    content = bytearray(image.to_bytes())
    content[:348] = header.binaryblock
    path.write_bytes(content)
    return path


def affine_of(volume):
    result = np.eye(4)
    result[:3, :3] = LPS[:, None] * volume.direction * volume.spacing
    result[:3, 3] = LPS * volume.origin
    return result


def quietly(path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return read(path)


@pytest.mark.parametrize(
    "pixdim", [(1, 1, 1, 1, 0, 0, 0, 0), (1, 0, 0, 0, 0, 0, 0, 0), (0, np.nan, np.inf, 0, 0, 0, 0, 0)]
)
def test_the_sform_alone_says_how_large_voxels_are(tmp_path, pixdim):
    """Fault B1: sform only, pixdim 1,1,1 or 0,0,0, was read as 1 x 1 x 1 mm; B7: NaN as 1 mm."""
    volume = quietly(save(tmp_path / "a.nii", sform=REGULAR, codes=(1, 0), pixdim=pixdim))
    assert volume.spacing == pytest.approx(SIZES)
    assert affine_of(volume) == pytest.approx(REGULAR)


def test_sizes_that_contradict_each_other_are_refused(tmp_path, refuses):
    """Fault B2: the sform says 4 x 2 x 2 mm, the qform 2 x 2 x 4."""
    with refuses("a.nii contradicts itself", "4 x 2 x 2 mm by the sform and 2 x 2 x 4 mm by the qform", "correct"):
        read(save(tmp_path / "a.nii", sform=np.diag([4.0, 2, 2, 1]), qform=np.diag([2.0, 2, 4, 1])))


def test_of_two_places_the_sform_counts_and_both_come_back(tmp_path):
    """Fault B3: the qform was taken, the sform overwritten, and the centre moved by 8 mm."""
    other = turned(10, (8.0, 0, 0))
    path = save(tmp_path / "a.nii", sform=other, qform=REGULAR, codes=(2, 1))
    with pytest.warns(ScanWarning, match=r"sform and its qform are 10 degrees and, in the middle, 8 mm apart"):
        volume = read(path)
    assert affine_of(volume) == pytest.approx(other, abs=1e-5)
    write(volume, tmp_path / "b.nii.gz")
    header = nibabel.load(tmp_path / "b.nii.gz").header
    assert header.get_sform() == pytest.approx(other, abs=1e-4)
    assert header.get_qform() == pytest.approx(REGULAR, abs=1e-4)
    assert (header["sform_code"], header["qform_code"]) == (2, 1)


def blank(volume, grids):
    """A black volume on the wanted grid."""
    result = grids.empty(volume, np.int16)
    result.voxels[:] = 0
    return result


def field_of_view(affine, size):
    corners = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)]) * size - 0.5
    return corners @ affine[:3, :3].T + affine[:3, 3]


@pytest.mark.filterwarnings("ignore::SuperResolutionLib.files.ScanWarning")
@given(seed=st.integers(0, 10**6), factors=st.tuples(*[st.sampled_from([1, 2, 3, 1.5])] * 3), coarser=st.booleans())
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_refined_grid_keeps_the_field_of_view_of_both_forms(tmp_path, seed, factors, coarser):
    """Fault B3, of the output: the second form is refined as the grid is."""
    random = np.random.default_rng(seed)
    first, second = (
        nibabel.affines.from_matvec(turn * (2, 2, 4), random.uniform(-90, 90, 3))
        for turn in Rotation.random(2, random_state=seed).as_matrix()
    )
    volume = read(save(tmp_path / "a.nii", sform=first, qform=second, codes=(3, 1)))
    sampling = Sampling(factors=factors)
    grids = sampling.coarser(volume) if coarser else sampling.finer(volume)
    write(blank(volume, grids), tmp_path / "b.nii", overwrite=True)
    header = nibabel.load(tmp_path / "b.nii").header
    for old, new in ((first, header.get_sform()), (second, header.get_qform())):
        assert field_of_view(new, np.array(grids.wanted.size)) == pytest.approx(
            field_of_view(old, np.array(VOXELS.shape)), abs=2e-3
        )


def test_mirrored_forms_are_refused(tmp_path, refuses):
    """Fault B4: the directions of a diffusion series were 70.5 degrees off."""
    mirrored = REGULAR * np.array([-1, 1, 1, 1])
    with refuses("mirror images", "left and right", "correct its header"):
        read(save(tmp_path / "a.nii", sform=mirrored, qform=REGULAR))


def diffusion(path, **options):
    """A series of two volumes, the second weighted along (0.6, 0.8, 0) in FSL's axes."""
    save(path, voxels=np.stack([VOXELS, VOXELS], -1), **options)
    (path.parent / f"{path.stem}.bval").write_text("0 1000\n")
    (path.parent / f"{path.stem}.bvec").write_text("0 0.6\n0 0.8\n0 0\n")
    return path


def test_without_codes_nothing_is_flipped_and_the_codes_stay_0(tmp_path):
    """Fault B5: bvecs were flipped, directions 70.5 degrees off, and the output claimed codes 1/1."""
    path = diffusion(tmp_path / "a.nii", codes=(0, 0))
    with pytest.warns(ScanWarning, match="does not say how it lies in the patient"):
        volume = read(path)
    image = nibabel.load(path)
    assert affine_of(volume) == pytest.approx(image.affine)
    assert np.linalg.det(image.affine) < 0
    assert volume.gradients.bvecs[1] == pytest.approx(LPS * [-0.6, 0.8, 0])  # the first axis runs to the left, in RAS
    write(blank(volume, Sampling(factors=(2, 2, 2)).finer(volume)), tmp_path / "b.nii")
    header = nibabel.load(tmp_path / "b.nii").header
    assert (header["sform_code"], header["qform_code"]) == (0, 0)
    assert np.loadtxt(tmp_path / "b.bvec")[:, 1] == pytest.approx([0.6, 0.8, 0])


@pytest.mark.filterwarnings("ignore::SuperResolutionLib.files.ScanWarning")
def test_a_slice_of_a_scan_without_codes_lies_in_its_place_beside_the_whole(tmp_path):
    """Sibling of B5: without codes an image is centred, and a slice of it is not."""
    volume = read(save(tmp_path / "a.nii", codes=(0, 0)))
    one = single_slice(volume, 2, 1)
    write(one, tmp_path / "b.nii")
    image = nibabel.load(tmp_path / "b.nii")
    assert image.affine == pytest.approx(affine_of(one), abs=1e-4)
    assert image.header["sform_code"] == 2


@pytest.mark.parametrize("codes", [(4, 1), (4, 4), (2, 0), (0, 3), (3, 2), (0, 1), (5, 1)])
@pytest.mark.parametrize("extension", [".nii", ".nii.gz"])
def test_codes_are_kept(tmp_path, codes, extension):
    """Fault B6: sform_code 4 (MNI) and 2 (aligned) became 1 (scanner)."""
    volume = quietly(save(tmp_path / "a.nii", sform=REGULAR, qform=REGULAR, codes=codes))
    write(volume, tmp_path / f"b{extension}")
    header = nibabel.load(tmp_path / f"b{extension}").header
    assert (header["sform_code"], header["qform_code"]) == codes
    assert header.get_best_affine() == pytest.approx(REGULAR, abs=1e-5)


BROKEN = [
    {"pixdim": (1, 0, 2, 4, 0, 0, 0, 0)},
    {"pixdim": (1, 2, np.nan, 4, 0, 0, 0, 0)},
    {"pixdim": (1, 2, 2, np.inf, 0, 0, 0, 0)},
    {"quatern_b": np.nan},
    {"quatern_b": 3.0},
    {"qoffset_y": np.nan},
]


@pytest.mark.parametrize("fields", BROKEN)
def test_a_qform_that_is_no_grid_gives_way_to_the_sform(tmp_path, fields):
    """Fault B7: pixdim 0, NaN, inf and a NaN quaternion were read as 1.0 mm."""
    path = save(tmp_path / "a.nii", sform=REGULAR, qform=REGULAR, **fields)
    with pytest.warns(ScanWarning, match="a qform that is no grid.*its sform is used"):
        volume = read(path)
    assert affine_of(volume) == pytest.approx(REGULAR)
    write(volume, tmp_path / "b.nii")
    assert nibabel.load(tmp_path / "b.nii").header["qform_code"] == 0


@pytest.mark.parametrize("fields", BROKEN)
def test_a_qform_that_is_no_grid_and_stands_alone_is_refused(tmp_path, refuses, fields):
    """Fault B7, without an sform."""
    with refuses("a.nii has an impossible grid", "Export it again"):
        read(save(tmp_path / "a.nii", qform=REGULAR, codes=(0, 1), **fields))


@pytest.mark.parametrize("row", [(0, 0, 0, 0), (np.nan, 0, 0, 0), (np.inf, 0, 0, 1)])
def test_an_sform_that_is_no_grid_gives_way_to_the_qform(tmp_path, refuses, row):
    """Sibling of B7: the other way round."""
    path = save(tmp_path / "a.nii", sform=REGULAR, qform=REGULAR, srow_x=row)
    with pytest.warns(ScanWarning, match="a sform that is no grid.*its qform is used"):
        assert affine_of(read(path)) == pytest.approx(REGULAR)
    with refuses("impossible grid"):
        read(save(tmp_path / "b.nii", sform=REGULAR, codes=(1, 0), srow_x=row))


@pytest.mark.parametrize("sizes", [(0, 2, 4), (2, np.nan, 4), (2, 2, np.inf)])
def test_sizes_that_are_none_are_refused_where_nothing_else_is_stated(tmp_path, refuses, sizes):
    """Fault B7, with both codes 0."""
    with refuses("a.nii has an impossible grid"):
        read(save(tmp_path / "a.nii", codes=(0, 0), pixdim=(1, *sizes, 0, 0, 0, 0)))


def sheared():
    affine = REGULAR.copy()
    affine[0, 1] = 0.4
    return affine


def test_a_sheared_sform_gives_way_to_the_qform_with_a_word(tmp_path):
    """Fault B8: it did so silently."""
    path = save(tmp_path / "a.nii", sform=sheared(), qform=REGULAR, codes=(2, 1))
    with pytest.warns(ScanWarning, match="an sform with axes that are not at right angles.*its qform is used"):
        volume = read(path)
    assert affine_of(volume) == pytest.approx(REGULAR)
    write(volume, tmp_path / "b.nii")
    header = nibabel.load(tmp_path / "b.nii").header
    assert header.get_sform() == pytest.approx(sheared(), abs=1e-5)
    assert header.get_qform() == pytest.approx(REGULAR, abs=1e-5)
    assert (header["sform_code"], header["qform_code"]) == (2, 1)


def test_a_sheared_sform_alone_is_refused(tmp_path, refuses):
    with refuses("a.nii has axes that are not at right angles (a sheared grid); resample it first."):
        read(save(tmp_path / "a.nii", sform=sheared(), codes=(1, 0)))


@pytest.mark.parametrize(("code", "size", "word"), [(1, 0.001, "metres"), (3, 1000.0, "micrometres")])
def test_sizes_in_other_units_become_millimetres(tmp_path, code, size, word):
    """Sibling of C: NIfTI too may state its sizes in other units than mm."""
    affine = REGULAR.copy()
    affine[:3] *= size
    path = save(tmp_path / "a.nii", sform=affine, codes=(1, 0), xyzt_units=code)
    with pytest.warns(ScanWarning, match=f"in {word}; they were converted to mm"):
        assert affine_of(read(path)) == pytest.approx(REGULAR, rel=1e-5)


@example(seed=120, left=True)
@given(seed=st.integers(0, 10**6), left=st.booleans())
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_both_forms_of_what_is_written_say_the_same_to_nibabel(tmp_path, make, seed, left):
    random = np.random.default_rng(seed)
    spacing, origin = random.uniform(0.3, 5, 3), random.uniform(-200, 200, 3)
    volume = Volume(np.zeros((3, 4, 5), np.uint8), tuple(spacing), tuple(origin), make.rotation(seed, left))
    write(volume, tmp_path / "a.nii", overwrite=True)
    header = nibabel.load(tmp_path / "a.nii").header
    assert header.get_sform() == pytest.approx(affine_of(volume), abs=1e-4)
    # Of half a turn or nearly, the single precision of its three numbers leaves the fourth, a root, 4e-4 wrong at most.
    assert header.get_qform() == pytest.approx(affine_of(volume), abs=5e-3)
    assert (header["sform_code"], header["qform_code"]) == (1, 1)
    assert header["pixdim"][1:4] == pytest.approx(spacing, rel=1e-6)


def test_a_tilt_that_headers_round_away_is_mended(tmp_path):
    """Directions of a few digits, as headers print them, are no shear; the volume's own are at right angles."""
    affine = REGULAR.copy()
    affine[0, 1] = 0.0008
    volume = quietly(save(tmp_path / "a.nii", sform=affine, codes=(1, 0)))
    assert volume.direction.T @ volume.direction == pytest.approx(np.eye(3), abs=1e-12)


def test_the_front_door_reads_forms_as_well(tmp_path):
    path = save(tmp_path / "a.nii", sform=turned(10), qform=REGULAR, codes=(2, 1))
    with pytest.warns(ScanWarning, match="10 degrees"):
        volume = sr.read(path)
    again = replace(volume, voxels=volume.voxels + 1)
    assert again.header is volume.header
    assert again.header.forms.sform_code == 2
