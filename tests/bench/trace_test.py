"""What `cclbench trace` writes: a trace that viewers take, and CSV that agrees with it.

Usage: trace_test.py CCLBENCH
"""
import collections
import csv
import json
import os
import subprocess
import sys
import tempfile

bench = sys.argv[1]


def run(*arguments, status=0):
    done = subprocess.run([bench, *arguments], capture_output=True, text=True, timeout=120)
    assert done.returncode == status, (arguments, done.returncode, done.stdout, done.stderr)
    return done.stdout if status == 0 else done.stderr


with tempfile.TemporaryDirectory() as folder:
    files = {name: os.path.join(folder, name) for name in ("trace", "ports", "flows")}
    for engine in ("fifo", "fluid", "packet"):
        # Crowded uplinks: messages are cut and wait.
        text = run("trace", "alltoall", "--fabric", "fat-tree", "--ranks", "32", "--algorithm",
                   "direct", "--set", "leaf.oversubscription=4", "--engine", engine,
                   *(a for name, path in files.items() for a in (f"--{name}", path)))
        assert f"32 ranks, engine {engine}" in text and "the narrowest place is up leaf" in text, text
        events = json.load(open(files["trace"]))["traceEvents"]
        threads = {(e["pid"], e["tid"]): e["args"]["name"] for e in events
                   if e["name"] == "thread_name"}
        processes = {e["pid"]: e["args"]["name"] for e in events if e["name"] == "process_name"}
        slices = collections.defaultdict(list)
        for e in events:
            if e["ph"] == "X":
                assert (e["pid"], e["tid"]) in threads and e["pid"] in processes, e
                slices[e["pid"], e["tid"]].append((e["ts"], e["ts"] + e["dur"], e["args"]["bytes"]))
        carried = collections.Counter()
        for key, parts in slices.items():
            parts.sort()
            for before, after in zip(parts, parts[1:]):
                assert after[0] >= before[1] - 1e-6, (threads[key], before, after)
            carried[threads[key]] += sum(part[2] for part in parts)
        ports = {row["port"]: row for row in csv.DictReader(open(files["ports"]))}
        assert len(ports) >= 3 * 32
        for name, row in ports.items():
            assert carried[name] == int(row["bytes"]), (name, carried[name], row)
            assert 0 <= float(row["busy_fraction"]) <= 1, row
        assert any(int(row["most_waiting_bytes"]) > 0 for row in ports.values()) == (engine != "fluid")
        flows = list(csv.DictReader(open(files["flows"])))
        messages = [f for f in flows if f["kind"] == "message"]
        assert len(messages) == 32 * 31, len(messages)
        for f in messages:
            assert int(f["send_posted_ps"]) <= int(f["sent_ps"]) <= int(f["delivered_ps"]) <= int(
                f["done_ps"]), f
        sent = collections.Counter()
        for f in messages:
            sent[f"endpoint {f['src']} send leaf"] += int(f["bytes"])
        assert all(carried[name] == total for name, total in sent.items())

    # Watching changes no time, and real bytes can be watched as well.
    arguments = ("allreduce", "-b", "1M", "-e", "1M", "--algorithm", "two_shot", "-g", "16")
    plain = run("perf", *arguments, "--fabric", "cloudmatrix384")
    watched = run("perf", *arguments, "--backend", "emulated:cloudmatrix384?trace=" + files["trace"])
    assert plain == watched, (plain, watched)
    assert json.load(open(files["trace"]))["traceEvents"]

    error = run("trace", "allreduce", "--trace", "/nowhere/t.json", status=1)
    assert "cannot write trace '/nowhere/t.json'" in error, error
    error = run("trace", "allreduce", "--ranks", "4", "--ports", "/nowhere/p.csv", status=1)
    assert "cannot write '/nowhere/p.csv'" in error, error
print("traces and tables agree")
