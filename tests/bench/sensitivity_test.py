"""The elasticities of `perf --sensitivity` against their closed form.

Usage: sensitivity_test.py CCLBENCH
A ring allreduce on a crossbar takes T = 2(n-1)(L + s/(nB)): of one per cent of L it feels L's share,
of one per cent of B what is left, with the other sign.
"""
import re
import subprocess
import sys

bench = sys.argv[1]


def run(*arguments, status=0):
    done = subprocess.run([bench, *arguments], capture_output=True, text=True, timeout=120)
    assert done.returncode == status, (arguments, done.returncode, done.stdout, done.stderr)
    return done.stdout if status == 0 else done.stderr


n, latency, bandwidth = 8, 1e-6, 100e9
text = run("perf", "allreduce", "--fabric", "crossbar", "-g", str(n), "-b", "1M", "-e", "16M", "-f", "16",
           "--algorithm", "ring", "--set", "latency=1 us", "--set", "port_bandwidth=100 GB/s",
           "--set", "send_overhead=0 ns", "--set", "recv_overhead=0 ns", "--sensitivity")
parts = text.split("# Sensitivity of allreduce of ")[1:]
assert [p.split()[0] for p in parts] == ["1048576", "16777216"], text
for part in parts:
    size = int(part.split()[0])
    found = {key: (float(a), float(b)) for a, b, key in
             re.findall(r"^# +([-+][\d.]+) +([-+][\d.]+)  (\S+)", part, re.M)}
    share = latency / (latency + size / n / bandwidth)
    print(f"{size} B: share of latency {share:.4f}, found {found}")
    assert set(found) == {"port_bandwidth", "switch.switch_latency"} or set(found) == {
        "port_bandwidth", "latency"}, found
    for key, (below, above) in found.items():
        expected = -(1 - share) if key == "port_bandwidth" else share
        assert abs(below - expected) < 0.01 and abs(above - expected) < 0.01, (key, below, above)
    assert re.search(r"no effect: .*chunk", part), part
    assert re.search(r"0, so not varied: .*reduce_bandwidth", part), part

# The algorithm is kept, and sides differ where a little less lets messages meet.
text = run("perf", "allreduce", "--fabric", "fat-tree", "--set", "leaf.routing=spray", "-g", "32",
           "-b", "1M", "-e", "1M", "--algorithm", "two_shot", "--phantom", "--sensitivity")
sides = re.search(r"^# +([-+][\d.]+) +([-+][\d.]+)  leaf.oversubscription", text, re.M)
assert abs(float(sides[1])) < 0.01 and 0.3 < float(sides[2]) < 1, text

# A side where the value is not valid is left out.
text = run("perf", "sendrecv", "--fabric", "dgx-h100", "-b", "64M", "-e", "64M", "--phantom",
           "--sensitivity", "--set", "protocol.simple.efficiency=1")
assert re.search(r"^# +[-+][\d.]+ +-  protocol.simple.efficiency", text, re.M), text

error = run("perf", "allreduce", "--backend", "emulated:crossbar", "--sensitivity", status=2)
assert "--sensitivity is to the parameters of an emulated --fabric" in error, error
