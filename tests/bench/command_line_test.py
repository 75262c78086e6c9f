"""Columns, files, suggestions and exit statuses of cclbench.

Usage: command_line_test.py CCLBENCH
"""
import json
import os
import subprocess
import sys
import tempfile

bench = sys.argv[1]


def run(*arguments, status=0):
    done = subprocess.run([bench, *arguments], capture_output=True, text=True, timeout=120)
    assert done.returncode == status, (arguments, done.returncode, done.stdout, done.stderr)
    return done.stdout, done.stderr


assert "Did you mean compare?" in run("compar", "allreduce", status=2)[1]
assert "Did you mean --fabric?" in run("compare", "allreduce", "--fabrik", "x", status=2)[1]
assert "did you mean allreduce" in run("compare", "alreduce", status=2)[1]
assert 'did you mean "cloudmatrix384"' in run("compare", "allreduce", "--fabric", "cloudmatrix", status=2)[1]
assert "did you mean fabrics" in run("list", "fabric", status=2)[1]
assert "port_bandwidth" in run("perf", "allreduce", "--fabric", "crossbar", "--set",
                               "port_bandwith=1 GB/s", status=2)[1]
assert "does not do alltoall" in run("perf", "alltoall", "--fabric", "crossbar", "--algorithm", "ring",
                                     status=2)[1]

# Faults and noise: what is wrong is said, and every algorithm has the same draws.
assert "there is no endpoint 9, only 0 to 7" in run("perf", "allreduce", "--fabric", "crossbar", "--event",
                                                    "at=1us,endpoint=9,down", status=2)[1]
assert "--event" in run("perf", "allreduce", "--backend", "emulated:crossbar", "--event",
                        "at=1us,endpoint=1,down", status=2)[1]
with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "out.json")
    for algorithms in ("ring,two_shot", "two_shot,ring"):  # in any order
        run("compare", "allreduce", "--fabric", "crossbar", "--sizes", "64KiB", "--algorithms", algorithms,
            "--seeds", "9", "--set", "noise.distribution=exponential", "--set", "noise.latency=1 us",
            "--json", path)
        with open(path) as file:
            rows = {r["algorithm"]: r for r in json.load(file)["results"]}
        if algorithms == "ring,two_shot":
            before = rows
        assert rows == before, (rows, before)
    for r in rows.values():
        assert r["seeds"]["count"] == 9 and r["wrong"] == 0, r
        assert r["seeds"]["time_us_min"] < r["time_us"] < r["seeds"]["time_us_max"], r
    assert sum(r["seeds"]["wins"] for r in rows.values()) == 9, rows

# Results say which engine made them. Cut-through takes L + b/B, packets of 4096 bytes one more b/B
# of a packet for the switch that stores it.
assert 'did you mean "fluid"' in run("compare", "alltoall", "--fabric", "crossbar", "--engine", "fluit",
                                     status=2)[1]
engine_times = {}
for engine in ("fifo", "fluid", "packet"):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "out.json")
        out, _ = run("compare", "broadcast", "--fabric", "crossbar", "--ranks", "2", "--sizes", "64KiB",
                     "--algorithms", "direct", "--engine", engine, "--json", path)
        with open(path) as file:
            result = json.load(file)
    assert f"engine {engine}" in out and result["engine"] == engine, out
    engine_times[engine] = result["results"][0]["time_us"]
assert engine_times["fifo"] == engine_times["fluid"] < engine_times["packet"], engine_times
assert engine_times["packet"] < engine_times["fifo"] + 0.011, engine_times
done = subprocess.run([bench, "perf", "allreduce", "-b", "8", "-e", "8"], capture_output=True, text=True,
                      timeout=60, env={**os.environ,
                                       "CCL_BACKEND": "emulated:crossbar?ranks=4&engine=packet"})
assert done.returncode == 0 and "emulated, engine packet, 4 ranks" in done.stdout, done
for option in (["--engine", "fluid"], ["--set", "latency=1 us"]):
    assert "go with --fabric" in run("perf", "allreduce", *option, status=2)[1]
for engine in ("fifo", "fluid", "packet"):
    _, err = run("perf", "broadcast", "--phantom", "--fabric", "crossbar", "-g", "2", "-b", "16M", "-e",
                 "16M", "--engine", engine, "--set", "port_bandwidth=1 B/s", status=1)
    assert "beyond 1152921 s of virtual time" in err, err
with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "mesh.toml")
    with open(path, "w") as file:
        file.write('name = "mesh"\nendpoints = 8192\n[[tier]]\nname = "all"\nkind = "mesh"\n'
                   'link_bandwidth = "1 GB/s"\n')
    assert "over 16777216 ports" in run("fabric", "check", path, status=2)[1]
for what in ("algorithms", "fabrics", "backends", "types"):
    assert len(run("list", what)[0].splitlines()) >= 2

out, err = run("perf", "alltoall", "--fabric", "crossbar", "-g", "8", "-b", "8", "-e", "8")
assert "rounded down to 0" in err
row = [line for line in out.splitlines() if line and line[0] != "#"][0].split()
assert row[:5] == ["0", "0", "float", "none", "-1"] and row[12] == "N/A", row

# A barrier has one row, of size 0, and takes time; under its name of nccl-tests' kind as well.
for program, words in ((bench, ["perf", "barrier"]),
                       (os.path.join(os.path.dirname(bench), "barrier_perf"), [])):
    done = subprocess.run([program, *words, "--fabric", "crossbar", "-g", "8", "-b", "8", "-e", "1M"],
                          capture_output=True, text=True, timeout=60)
    rows = [line.split() for line in done.stdout.splitlines() if line and line[0] != "#"]
    assert done.returncode == 0 and len(rows) == 1, done.stdout + done.stderr
    assert rows[0][:5] == ["0", "0", "float", "none", "-1"] and rows[0][12] == "N/A", rows
    assert float(rows[0][5]) >= 1, rows  # no barrier is faster than the crossbar's one message
out = run("compare", "barrier", "--fabric", "crossbar", "--ranks", "6", "--sizes", "1KiB,64KiB")[0]
assert out.count("lower bound") == 1 and "0 B" in out, out

# What takes no time has reached all that is possible.
for command in (["explain", "allreduce", "--size", "0", "--ranks", "1"],
                ["compare", "allreduce", "--fabric", "crossbar", "--sizes", "0", "--ranks", "1"]):
    out = run(*command)[0]
    assert "nan" not in out and "inf" not in out and "100" in out, out

with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "r.json")
    run("compare", "allgather", "--fabric", "crossbar", "--ranks", "6", "--sizes", "1KiB,64KiB",
        "--json", path, "--csv", path + ".csv")
    file = json.load(open(path))
    assert file["tool"] == "cclbench" and file["fabric"]["ranks"] == 6
    for r in file["results"]:
        assert r["collective"] == "allgather" and r["wrong"] == 0 and r["payload"] == "real"
        assert r["bytes"] == r["count"] * 4 * 6
        algbw = r["bytes"] / r["time_us"] / 1e3
        assert abs(r["algbw_GBps"] - algbw) < 1e-6 * algbw
        assert abs(r["busbw_GBps"] - algbw * 5 / 6) < 1e-6 * algbw
        assert 0 < r["bound_fraction"] <= 1, r
    assert len(open(path + ".csv").readlines()) == len(file["results"]) + 1
    link = os.path.join(os.path.dirname(bench), "all_reduce_perf")
    done = subprocess.run([link, "-b", "1K", "-e", "4K", "-g", "4", "--backend", "emulated:crossbar"],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and "# Out of bounds values : 0 OK" in done.stdout, done.stdout

text = run("explain", "allreduce", "--fabric", "cloudmatrix384", "--size", "1MiB")[0]
for noun in ("Request", "Plan", "Program", "Execution", "Messages", "Flows", "Lower bound"):
    assert noun in text, noun

# The parts of the critical path sum to the time of the run.
for arguments in (["allreduce", "--algorithm", "ring"], ["allreduce", "--algorithm", "hier(two_shot+nhr)*4"],
                  ["alltoall", "--algorithm", "direct"], ["broadcast", "--algorithm", "chain*8"],
                  ["allreduce", "--algorithm", "two_shot", "--set", "reduce_bandwidth=100 GB/s"]):
    text = run("explain", *arguments, "--fabric", "cloudmatrix384", "--ranks", "48", "--size", "3MiB")[0]
    time = float(text.split(" us in virtual time")[0].split()[-1])
    parts = [float(line.split()[-4]) for line in text.split("Critical path")[1].splitlines()[1:6]]
    assert abs(sum(parts[:4]) - parts[4]) < 0.01, text
    assert abs(parts[4] - time) < 0.002, (arguments, parts, time)
