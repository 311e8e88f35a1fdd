"""The worker is a real process: it says how far it is, it ends when told to, and takes its children along."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
from processes import alive, family, workers
from SuperResolutionSlicer import process
from SuperResolutionSlicer.process import EngineError, EngineProcess, running

from SuperResolutionLib.errors import InputError


@pytest.fixture
def engine(tmp_path, monkeypatch):
    """Replaces the library that the worker runs by a few lines of our choice: the process stays a real one."""

    def write(body: str) -> Path:
        cli = tmp_path / "home" / "SuperResolutionLib" / "cli"
        cli.mkdir(parents=True)
        (cli.parent / "__init__.py").write_text("")
        (cli / "__init__.py").write_text("def main(arguments):\n" + textwrap.indent(textwrap.dedent(body), "    "))
        monkeypatch.setattr(process, "home", lambda: tmp_path / "home")
        folder = tmp_path / "job"
        folder.mkdir()
        return folder

    return write


def finish(steps):
    """Every event of a run, and what it returned."""
    events = []
    try:
        while True:
            events.append(next(steps))
            time.sleep(0.005)
    except StopIteration as end:
        return events, end.value


def wait_for(condition, seconds: float):
    began = time.monotonic()
    while not condition() and time.monotonic() - began < seconds:
        time.sleep(0.02)
    return condition()


def test_events_arrive_while_the_worker_runs_and_the_last_one_is_returned(engine):
    folder = engine(
        """
        import time
        for k in range(3):
            print('{"event": "progress", "done": %d, "total": 3}' % k, flush=True)
            time.sleep(0.1)
        print('{"event": "done"}')
        return 0
        """
    )
    events, last = finish(running(["x"], folder))
    assert [e for e in events if e.get("done") == 1]
    assert last == {"event": "done"}


def test_rubbish_and_bytes_that_are_no_text_on_stdout_do_no_harm(engine):
    folder = engine(
        r"""
        import os
        os.write(1, b"\xff\xfe\x00 rubbish\n[1, 2]\n{\"no\": \"event\"}\n" + b"x" * 200000 + b"\n{broken\n\n")
        print('{"event": "done"}')
        return 0
        """
    )
    _, last = finish(running(["x"], folder))
    assert last == {"event": "done"}


def test_the_sentence_of_an_error_event_becomes_the_message(engine):
    folder = engine(
        """
        print('{"event": "error", "message": "brain.nhdr has NaN voxels; mend it."}')
        return 2
        """
    )
    with pytest.raises(EngineError, match=r"^brain.nhdr has NaN voxels; mend it\.$") as found:
        finish(running(["x"], folder))
    assert isinstance(found.value, InputError)


def test_an_error_that_only_stderr_tells_becomes_the_message(engine):
    folder = engine("import sys; print('superresolution: There is no model x.', file=sys.stderr); return 2")
    with pytest.raises(EngineError, match=r"^There is no model x\.$"):
        finish(running(["x"], folder))


def test_a_crash_becomes_a_message_with_the_log_in_its_details(engine):
    folder = engine("raise ValueError('deep inside')")
    with pytest.raises(EngineError, match=r"stopped unexpectedly.*scene is unchanged") as found:
        finish(running(["x"], folder))
    assert "ValueError: deep inside" in found.value.log


def test_a_worker_that_says_nothing_at_all_is_a_failure(engine):
    with pytest.raises(EngineError, match="stopped unexpectedly"):
        finish(running(["x"], engine("return 0")))


@pytest.mark.parametrize("body", ["raise MemoryError", "raise RuntimeError('CUDA out of memory. Tried ...')"])
def test_lack_of_memory_is_called_by_its_name(engine, body):
    with pytest.raises(EngineError, match=r"lack of memory.*choose the CPU"):
        finish(running(["x"], engine(body)))


def test_a_missing_package_is_called_by_its_name(engine):
    with pytest.raises(EngineError, match="package no_such_package is missing"):
        finish(running(["x"], engine("import no_such_package")))


def test_the_words_of_slicers_launcher_for_a_killed_child_are_understood(engine):
    folder = engine("import sys; print('error: [/x/python-real] exit abnormally', file=sys.stderr); return 1")
    with pytest.raises(EngineError, match="lack of memory"):
        finish(running(["x"], folder))


@pytest.mark.skipif(os.name != "posix", reason="signals are a thing of Linux and macOS")
def test_a_worker_that_the_system_kills_is_reported_as_such(engine):
    folder = engine("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    with pytest.raises(EngineError, match="lack of memory"):
        finish(running(["x"], folder))


SLEEPER = """
    import subprocess, sys, time
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    print('{"event": "progress", "done": 0, "total": 9}', flush=True)
    time.sleep(60)
    """


def test_closing_the_run_ends_the_worker_and_its_children_at_once(engine):
    run = running(["x"], engine(SLEEPER))
    began = time.monotonic()
    while next(run).get("event") != "progress":
        assert time.monotonic() - began < 20
        time.sleep(0.01)
    started = workers()
    assert len(started) == 2
    run.close()
    assert wait_for(lambda: alive(started) == [], 3)


@pytest.mark.skipif(os.name != "posix", reason="the stand-in launcher is a shell script")
def test_a_launcher_between_us_and_the_worker_leaves_nobody_behind(engine, tmp_path, monkeypatch):
    launcher = tmp_path / "PythonSlicer"
    launcher.write_text(f'#!/bin/sh\n"{sys.executable}" "$@"\nexit $?\n')  # like Slicer's: the real Python is its child
    launcher.chmod(0o755)
    monkeypatch.setattr(process.shutil, "which", lambda name: str(launcher) if name == "PythonSlicer" else None)
    run = running(["x"], engine(SLEEPER))
    while next(run).get("event") != "progress":
        time.sleep(0.01)
    started = workers()
    assert len(started) == 3
    run.close()
    assert wait_for(lambda: alive(started) == [], 3)


@pytest.mark.skipif(os.name != "posix", reason="kills a parent with a signal")
def test_when_slicer_dies_the_worker_ends_itself_and_removes_the_jobs_files(engine, tmp_path):
    folder = engine("import time; time.sleep(60)")
    (folder / "input.raw").write_bytes(b"voxels")
    script = tmp_path / "slicer.py"
    script.write_text(
        textwrap.dedent(
            f"""
            import sys, time
            sys.path[:0] = {[str(Path(process.__file__).parents[1]), str(Path(process.__file__).parents[2])]!r}
            from pathlib import Path
            from SuperResolutionSlicer import process
            process.home = lambda: Path({str(tmp_path / "home")!r})
            worker = process.EngineProcess()
            worker.begin(["x"], Path({str(folder)!r}))
            print(worker.pid, flush=True)
            time.sleep(60)
            """
        )
    )
    parent = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE)
    pid = int(parent.stdout.readline())
    started = family(pid)
    time.sleep(0.5)  # the worker is at its work
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    assert wait_for(lambda: alive(started) == [], 8)
    assert wait_for(lambda: not folder.exists(), 2)


def test_the_log_begins_with_the_command_and_keeps_the_last_lines(engine):
    folder = engine("import sys; [print(k, file=sys.stderr) for k in range(2000)]; return 1")
    worker = EngineProcess()
    worker.begin(["x"], folder)
    assert wait_for(lambda: worker.code is not None, 20)
    worker.end()
    assert worker.code == 1
    assert worker.log[-1] == "1999"
    assert len(worker.log) == process.LOG_LINES


SAYS_WHO = """
    import json, os, time
    if arguments == ["fail"]:
        return 1
    time.sleep(0.5 if arguments == ["slow"] else 0)
    print(json.dumps({"event": "done", "process": os.getpid(), "where": os.getcwd(), "arguments": arguments}))
    return 0
    """


def test_a_process_that_ended_well_runs_the_next_command_in_the_next_folder(engine, tmp_path):
    folder = engine(SAYS_WHO)
    other = tmp_path / "other job"
    other.mkdir()
    (_, one), (_, two) = finish(running(["a", "b"], folder)), finish(running(["c \u00e9"], other))
    assert one["process"] == two["process"]
    assert (one["arguments"], two["arguments"]) == (["a", "b"], ["c \u00e9"])
    assert (Path(one["where"]), Path(two["where"])) == (folder.resolve(), other.resolve())


def test_while_it_rests_the_folder_of_its_last_job_can_go(engine):
    folder = engine(SAYS_WHO)
    finish(running(["x"], folder))
    assert Path(os.readlink(f"/proc/{process.resting()}/cwd") if sys.platform == "linux" else "/") != folder
    folder.rmdir()


@pytest.mark.parametrize("change", ["failure", "cancel", "environment", "installation", "time"])
def test_a_new_process_is_started_where_the_old_one_cannot_be_trusted(engine, monkeypatch, change):
    folder = engine(SAYS_WHO)
    if change == "time":
        monkeypatch.setattr(process, "RESTS", 0.1)
    _, one = finish(running(["x"], folder))
    if change == "failure":
        with pytest.raises(EngineError):
            finish(running(["fail"], folder))
        assert process.resting() is None
    elif change == "cancel":
        run = running(["slow"], folder)
        next(run)
        run.close()
    elif change == "environment":
        monkeypatch.setenv("OMP_NUM_THREADS", "3")
    elif change == "installation":
        process.end_resting()
    else:
        assert wait_for(lambda: process.resting() is None, 5)
    _, two = finish(running(["x"], folder))
    assert one["process"] != two["process"]


def test_of_two_runs_at_once_each_has_its_own_process_and_one_of_them_rests(engine):
    folder = engine(SAYS_WHO)
    runs = [running(["slow"], folder) for _ in range(2)]
    for run in runs:
        next(run)
    ends = [finish(run)[1]["process"] for run in runs]
    assert ends[0] != ends[1]
    assert workers() == []
    assert process.resting() is not None


def test_the_same_warning_is_given_to_every_command(engine):
    folder = engine(
        """
        import json, os, warnings
        shown = []
        warnings.showwarning = lambda message, *_: shown.append(str(message))
        warnings.warn("unusual", stacklevel=1)
        print(json.dumps({"event": "done", "shown": shown, "process": os.getpid()}))
        return 0
        """
    )
    (_, one), (_, two) = finish(running(["x"], folder)), finish(running(["x"], folder))
    assert one == two
    assert two["shown"] == ["unusual"]


@pytest.mark.skipif(os.name != "posix", reason="kills with a signal")
def test_a_process_that_died_while_it_rested_is_replaced(engine):
    folder = engine(SAYS_WHO)
    _, one = finish(running(["x"], folder))
    os.kill(process.resting(), signal.SIGKILL)
    time.sleep(0.2)
    _, two = finish(running(["x"], folder))
    assert one["process"] != two["process"]
