"""All ranks of a job are killed: nothing of theirs is left in shared memory, and the next job starts.

Usage: remains_test.py RANKS PROGRAM LAUNCHER...

Looks where such memory can be: names in /dev/shm, System V segments, and anonymous files that a process
still has open or mapped. MPI's own remains, which its launcher sweeps up, are not ours to judge.
"""
import contextlib
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time

ranks, program, launcher = int(sys.argv[1]), sys.argv[2], sys.argv[3:]


def names():
    return {path.name for path in pathlib.Path("/dev/shm").iterdir()}


def segments():
    """System V's, by number, with the process that made them."""
    lines = pathlib.Path("/proc/sysvipc/shm").read_text().splitlines()[1:]
    return {line.split()[1]: int(line.split()[4]) for line in lines}


def anonymous():
    """Inodes of anonymous files called as ours, of all processes: open ones and mapped ones."""
    found = set()
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            for line in (process / "maps").read_text().splitlines():
                if "/memfd:ccl" in line:
                    found.add(line.split()[4])
            for file in (process / "fd").iterdir():
                if "/memfd:ccl" in os.readlink(file):
                    found.add(str(os.stat(file).st_ino))
        except OSError:
            continue  # has ended meanwhile
    return found


def start(output):
    """A job whose ranks are ready, and their processes."""
    job = subprocess.Popen([*launcher, program], stdout=output, stderr=subprocess.STDOUT, start_new_session=True)
    for _ in range(600):
        text = pathlib.Path(output.name).read_text()
        found = [int(word) for word in re.findall(r"ready: (\d+)", text)]
        if len(found) == ranks:
            return job, found
        assert job.poll() is None, text
        time.sleep(0.05)
    raise AssertionError(f"not ready: {text}")


def end(job, processes):
    for process in processes:
        with contextlib.suppress(ProcessLookupError):  # its launcher was quicker
            os.kill(process, signal.SIGKILL)
    try:
        job.wait(30)  # has seen them die
    finally:
        job.kill()


def ours(process):
    """Inodes of shared memory called as ours that a rank has."""
    maps = pathlib.Path(f"/proc/{process}/maps").read_text()
    return set(re.findall(r" (\d+) +/memfd:ccl", maps))


with tempfile.TemporaryDirectory() as folder:
    before = names(), segments()
    held = []
    for turn in range(2):  # the second is the next start
        with open(os.path.join(folder, f"job.{turn}"), "w") as output:
            job, processes = start(output)
            try:
                held.append(set.union(*[ours(process) for process in processes]))
            finally:
                end(job, processes)
        # What is being torn down takes a moment.
        for _ in range(100):
            left = held[-1] & anonymous()
            if not left:
                break
            time.sleep(0.05)
        assert not left, f"anonymous files {left} are still there"
        assert all(held), f"the ranks share no memory: {held}"
    named = {name for name in names() - before[0] if "ccl" in name}
    assert not named, f"/dev/shm has {named}"
    made = {key for key, process in segments().items() if key not in before[1] and process in processes}
    assert not made, f"System V segments {made} are still there"
print(f"{ranks} ranks were killed twice; of {[len(h) for h in held]} segments none is left")
