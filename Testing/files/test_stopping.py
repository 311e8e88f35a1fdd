import shutil
import signal
import threading

import pytest

from SuperResolutionLib.files import claims, moves
from SuperResolutionLib.files.output import write_group
from SuperResolutionLib.files.stopping import unstopped

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@pytest.fixture(autouse=True)
def interrupting():
    """Each signal raises KeyboardInterrupt, as under the command line."""
    kept = {number: signal.getsignal(number) for number in STOPPING}
    for number in STOPPING:
        signal.signal(number, signal.default_int_handler)
    yield
    for number, handler in kept.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", STOPPING)
def test_a_signal_waits_until_the_work_is_done_and_is_raised_then(number):
    done = []
    with pytest.raises(KeyboardInterrupt), unstopped():
        signal.raise_signal(number)
        done.append(True)
    assert done
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(number)


def test_handlers_within_handlers_come_back_and_ignored_signals_stay_ignored():
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with unstopped(), unstopped():
        signal.raise_signal(signal.SIGHUP)
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_other_threads_work_as_ever():
    done = []

    def work():
        with unstopped():
            done.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done


@pytest.mark.parametrize("number", STOPPING)
@pytest.mark.parametrize("name", ["rmtree", "undo", "settle"])
def test_a_signal_while_a_hidden_folder_is_cleared_leaves_nothing(tmp_path, monkeypatch, name, number):
    # Row H: `enhance`, ended by SIGTERM as it cleared up, left .superresolution-.../old behind.
    def signalled(real):
        def work(*arguments, **options):
            signal.raise_signal(number)
            return real(*arguments, **options)

        return work

    if name == "rmtree":
        monkeypatch.setattr(claims.shutil, "rmtree", signalled(shutil.rmtree))
    elif name == "undo":
        monkeypatch.setattr(claims, "undo", signalled(moves.undo))
    else:
        monkeypatch.setattr("SuperResolutionLib.files.output.settle", signalled(moves.settle))
    with pytest.raises(KeyboardInterrupt):
        write_group(tmp_path / "out", {"a.txt": lambda path: path.write_text("whole")}, overwrite=False)
    left = sorted(path.name for path in tmp_path.rglob("*"))
    assert left in ([], ["a.txt", "out"])
    if left:
        assert (tmp_path / "out" / "a.txt").read_text() == "whole"


def test_a_signal_while_a_name_is_claimed_leaves_nothing(tmp_path, monkeypatch):
    real = claims.os.ftruncate

    def truncate(*arguments):
        signal.raise_signal(signal.SIGTERM)
        real(*arguments)

    monkeypatch.setattr(claims.os, "ftruncate", truncate)
    with pytest.raises(KeyboardInterrupt), claims.claimed(tmp_path, "a"):
        pytest.fail("stopped before the work")
    assert not list(tmp_path.iterdir())
