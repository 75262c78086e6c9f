"""`mpirun cclbench calibrate machine` makes a file, and later jobs of the layout plan by it.

Usage: calibrate_machine_test.py CCLBENCH MPIRUN...
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

bench, *mpirun = sys.argv[1:]
folder = tempfile.TemporaryDirectory()


def run(*arguments, ranks=2, status=0, **environment):
    done = subprocess.run([*mpirun, "-np", str(ranks), bench, *arguments], capture_output=True, text=True,
                          timeout=200, env=dict(os.environ, XDG_CACHE_HOME=folder.name, **environment))
    assert done.returncode == status, (arguments, done.returncode, done.stdout, done.stderr)
    return done.stdout + done.stderr


assert "typical figures; cclbench calibrate machine" in run("options"), run("options")
text = run("calibrate", "machine", "--passes", "2", "-n", "1", "--largest", "16KiB")
path = re.search(r"^wrote (.*)$", text, re.M)[1]
assert path.startswith(folder.name + "/ccl/machine-") and path.endswith(f"-shm-2-of-{os.cpu_count()}"), path
rows = [line.split() for line in text.splitlines()]
for collective in ("allreduce", "reduce_scatter", "allgather", "broadcast", "reduce", "alltoall", "gather",
                   "scatter", "barrier"):
    own = [row for row in rows if row[:1] == [collective]]
    assert len(own) == (1 if collective == "barrier" else 4), (collective, text)
    assert all(float(cell) > 0 for row in own for cell in row[3:]), text
    # The ratio is that of the two times before it, which are rounded.
    assert all(abs(float(row[3]) / float(row[4]) - float(row[5])) < 0.05 for row in own), text
assert re.search(r"^from 4 KiB up \d+ of 16 times measured, and \d+ of those by formula, lie within 25 %", text,
                 re.M), text
lines = pathlib.Path(path).read_text().splitlines()
assert lines[0] == "ccl machine 2" and lines[-1] == "end" and "layout = 2" in lines, lines

# Jobs of that layout say that they plan by it, and predict; others do not.
assert f"plans go by what was measured of such jobs, {path}" in run("options")
assert f"plans go by what was measured of all ranks in {path}" in run("options", CCL_DEBUG="INFO")
assert "plans go by typical figures" in run("options", ranks=3)
# Of the time in the file: a size between two.
curve = next(line for line in lines if line.startswith("allreduce recursive_doubling = "))
points = dict(point.split(":") for point in curve.split(" = ")[1].split())
assert list(points) == ["8", "512", "4096", "16384"], curve
between = (int(points["4096"]) + (int(points["16384"]) - int(points["4096"])) / 3) / 1e6
text = run("perf", "allreduce", "-b", "8K", "-e", "8K", "--algorithm", "recursive_doubling", "--predict")
assert f" recursive_doubling  {between:.2f}  " in text, (text, between)
text = run("perf", "allreduce", "-b", "4K", "-e", "16K", "-f", "4", "-n", "20", "--predict", "--best")
rows = [line.split() for line in text.splitlines() if " float " in line]
assert len(rows) == 2 and all(float(row[-2]) > 0 and float(row[-1]) > 0 for row in rows), text
assert len(re.findall(r"chosen \S+ [\d.]+ us; fastest of \d+: \S+ [\d.]+ us; chosen/fastest [\d.]+$", text,
                      re.M)) == 2, text

# Ranks over TCP have a file of their own, and figures of single messages alone make no such file.
def launch(*arguments):
    done = subprocess.run([bench, "launch", "-n", "2", "--", bench, *arguments], capture_output=True, text=True,
                          timeout=200, env=dict(os.environ, XDG_CACHE_HOME=folder.name, CCL_BACKEND="tcp:?shm=no",
                                                CCL_DEBUG="INFO"))
    assert done.returncode == 0, (arguments, done.returncode, done.stdout, done.stderr)
    return done.stdout, done.stderr


# What the ranks print of options is mixed; the log has whole lines.
log = launch("options")[1]
assert "plans go by typical figures of all ranks" in log, log
text = launch("calibrate", "machine", "--passes", "1", "-n", "1", "--largest", "4KiB")[0]
wrote = re.search(r"^wrote (.*)$", text, re.M)[1]
assert wrote.endswith(f"-tcp-1x2-of-{os.cpu_count()}"), wrote
log = launch("options")[1]
assert f"plans go by what was measured of all ranks in {wrote}\n" in log, log

# What is damaged is ignored, and a warning says so.
pathlib.Path(path).write_text("\n".join(lines[:-1]))
text = run("perf", "allreduce", "-b", "4K", "-e", "4K", "-n", "1", CCL_DEBUG="WARN")
assert text.count("measured ones are ignored") == 1 and "is cut off" in text, text
assert "Out of bounds values : 0 OK" in text, text

assert "measures two real ranks" in run("calibrate", "machine", ranks=1, status=2)
