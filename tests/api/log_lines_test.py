"""Every subsystem of the log writes lines of its own, and only where it is asked for.

Usage: log_lines_test.py PROGRAM
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

LINES = {
    "INIT": r"world of 2 ranks over emulated.*communicator '': rank 1 of 2",
    "COLL": r"allreduce: opCount 0 sendbuff 0x\w+ recvbuff 0x\w+ count 1 datatype 2 op 0",
    "P2P": r"send: buff 0x\w+ count 1 datatype 2 peer 1.*recv: buff",
    "NET": r"'emulated:crossbar': transport emulated, \d+ contexts, \d+ channels, virtual time",
    "GRAPH": r"topology: ",
    "TUNING": r"allreduce of 4 bytes, root 0, 2 ranks: [^,]+, the fastest predicted of",
    "ENV": r"CCL_TIMEOUT_MS set by environment to 1234",
    "ALLOC": r"cclMemAlloc: 0x\w+, 100 bytes.*cclCommRegister.*cclMemFree",
    "DESTROY": r"communicator '': rank 1 of 2 ends after 1 collectives",
}


def log(**variables):
    clean = {k: v for k, v in os.environ.items() if not k.startswith("CCL_") and not k.startswith("OMPI_")}
    done = subprocess.run([sys.argv[1]], capture_output=True, text=True, check=True,
                          env={**clean, "CCL_TIMEOUT_MS": "1234", "CCL_BACKEND": "emulated:crossbar", **variables})
    return done.stderr


for part in LINES:
    text = log(CCL_DEBUG="INFO", CCL_DEBUG_SUBSYS=part)
    for other, pattern in LINES.items():
        found = re.search(pattern, text, re.S) is not None
        assert found == (part == other), (part, other, text)
    assert re.search(r"^\S+:\d+:\d+ CCL WARN .*root 7 is not in 0..1$", text, re.M), text
assert log() == ""
warned = log(CCL_DEBUG="WARN")
assert warned.count("\n") == 1 and "root 7" in warned, warned
text = log(CCL_DEBUG="INFO")
assert re.search(LINES["INIT"], text, re.S) and re.search(LINES["ENV"], text), text
assert not re.search(LINES["COLL"], text), text
with tempfile.TemporaryDirectory() as folder:
    assert log(CCL_DEBUG="INFO", CCL_DEBUG_SUBSYS="^INIT", CCL_DEBUG_FILE=folder + "/log.%p") == ""
    text = "".join(p.read_text() for p in pathlib.Path(folder).iterdir())
    for part, pattern in LINES.items():
        assert (re.search(pattern, text, re.S) is not None) == (part != "INIT"), (part, text)
