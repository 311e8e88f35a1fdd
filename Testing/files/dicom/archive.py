"""A real archive (Orthanc) in a network of its own, with two series of one study sent, found and fetched again.

Run inside a fresh network namespace, which this brings up: `unshare -n python archive.py STORED UPLOADED WORK`.
STORED is a folder that is sent by C-STORE, UPLOADED one that is posted; WORK, an empty folder, gets what C-FIND and
C-GET answer.
"""

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HTTP, DICOM = 8042, 4242
TO = ["-aec", "ORTHANC", "127.0.0.1", str(DICOM)]


@contextmanager
def archive(work: Path) -> Iterator[None]:
    """Orthanc, from the moment it answers until the end."""
    place = {"StorageDirectory": str(work / "store"), "IndexDirectory": str(work / "store")}
    ports = {"HttpPort": HTTP, "DicomPort": DICOM, "RemoteAccessAllowed": False}
    allowed = {"DicomAlwaysAllowFind": True, "DicomAlwaysAllowGet": True, "DicomCheckCalledAet": False}
    (work / "orthanc.json").write_text(json.dumps({"Name": "test", **place, **ports, **allowed}))
    with (work / "orthanc.log").open("w") as log:
        process = subprocess.Popen(["Orthanc", str(work / "orthanc.json")], stdout=log, stderr=log)
        try:
            for _ in range(200):
                try:
                    ask("/system")
                    break
                except urllib.error.URLError:
                    time.sleep(0.1)
            yield
        finally:
            process.terminate()
            process.wait(30)


def ask(path: str, content: bytes | None = None) -> object:
    """Orthanc's answer to a request, or to a file that is posted."""
    with urllib.request.urlopen(f"http://127.0.0.1:{HTTP}{path}", content, timeout=20) as answer:
        return json.loads(answer.read())


def run(*command: object) -> None:
    subprocess.run([str(word) for word in command], check=True, stdout=subprocess.DEVNULL)


def main(stored: Path, uploaded: Path, work: Path) -> None:
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    with archive(work):
        run("storescu", "+sd", "+r", *TO, stored)
        for path in sorted(uploaded.iterdir()):
            ask("/instances", path.read_bytes())
        (study,) = (ask(f"/studies/{uid}") for uid in ask("/studies"))
        uid = study["MainDicomTags"]["StudyInstanceUID"]
        for folder in ("found", "fetched"):
            (work / folder).mkdir()
        keys = ["-k", "QueryRetrieveLevel=SERIES", "-k", f"StudyInstanceUID={uid}", "-k", "SeriesInstanceUID"]
        run("findscu", "-S", "-X", "-od", work / "found", *keys, *TO)
        run(
            "getscu",
            "-S",
            "-od",
            work / "fetched",
            "-k",
            "QueryRetrieveLevel=STUDY",
            "-k",
            f"StudyInstanceUID={uid}",
            *TO,
        )


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
