"""The notebook of docs/ runs from top to bottom, without a network, and shows what its words say."""

from pathlib import Path

import numpy as np
import pytest
from phantoms import blobs, middle

from SuperResolutionLib import files
from SuperResolutionLib.volume import Volume

NOTEBOOK = Path(__file__).parents[1] / "docs" / "notebook.ipynb"


@pytest.fixture(scope="module")
def cells(tmp_path_factory) -> dict[str, list[dict]]:
    """What each cell of code shows, by its last line; run on a small head instead of the sample."""
    client = pytest.importorskip("nbclient", reason="needs nbclient: pip install nbclient ipykernel")
    pytest.importorskip("ipykernel", reason="needs ipykernel: pip install nbclient ipykernel")
    import nbformat

    head = Volume(np.zeros((64, 40, 44)))
    scan = tmp_path_factory.mktemp("scan") / "head.nii.gz"
    files.write(head.with_voxels(blobs(head, middle(head), 16).astype(np.int16)), scan)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("SCAN", str(scan))
        notebook = nbformat.read(NOTEBOOK, as_version=4)
        client.NotebookClient(notebook, timeout=500, resources={"metadata": {"path": NOTEBOOK.parent}}).execute()
    ran = [cell for cell in notebook.cells if cell.cell_type == "code"]
    return {cell.source.splitlines()[-1]: cell.outputs for cell in ran}


def shown(cells: dict[str, list[dict]], beginning: str) -> dict[str, str]:
    """What the cell whose last line begins so shows, by kind."""
    (outputs,) = (outputs for last, outputs in cells.items() if last.startswith(beginning))
    (data,) = (output["data"] for output in outputs if output["output_type"] == "execute_result")
    return data


def test_a_plot_is_a_picture(cells):
    assert len(shown(cells, "scan.plot()")["image/png"]) > 10_000


def test_thick_slices_become_as_thin_as_the_pixels_are_wide(cells):
    assert "1.00 x 1.00 x 4.00 mm" in shown(cells, "thick")["text/plain"]
    assert "44 x 40 x 64, 1.00 x 1.00 x 1.00 mm" in shown(cells, "thin")["text/plain"]


def test_two_volumes_are_looked_through_in_a_frame(cells):
    for view in ("sr.view(thin", "sr.view(result.volume"):
        assert shown(cells, view)["text/html"].startswith("<iframe srcdoc=")


def test_a_comparison_is_a_table(cells):
    table = shown(cells, "sr.compare(")["text/html"]
    assert table.startswith("<table>")
    assert all(f"<td>{name}</td>" in table for name in ("bspline", "deconvolution", "mri-iso"))


def test_progress_is_shown_while_a_network_works(cells):
    texts = [output.get("text", "") for output in cells["thin"]] + [str(o.get("data", "")) for o in cells["thin"]]
    assert any("100%" in text for text in texts)


def test_the_record_names_the_model(cells):
    assert "mri-x2" in shown(cells, "result.record")["text/plain"]


def test_the_file_is_small_and_holds_no_output():
    import json

    assert NOTEBOOK.stat().st_size < 150_000
    code = [cell for cell in json.loads(NOTEBOOK.read_text())["cells"] if cell["cell_type"] == "code"]
    assert [(cell["outputs"], cell["execution_count"]) for cell in code] == [([], None)] * len(code)
