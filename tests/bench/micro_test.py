"""Every micro benchmark runs without an error and counts what it says it counts.

Usage: micro_test.py CCL_MICRO
"""
import json
import subprocess
import sys

done = subprocess.run([sys.argv[1], "--benchmark_min_time=0.001", "--benchmark_format=json"],
                      capture_output=True, text=True, timeout=300)
assert done.returncode == 0, done.stdout + done.stderr
rows = json.loads(done.stdout)["benchmarks"]
for row in rows:
    assert not row.get("error_occurred"), row
    assert row.get("items_per_second", row.get("bytes_per_second", 0)) > 0, row
names = {row["name"] for row in rows}
for part in ("Fold/half/sum/2/262144/manual_time", "Fold/bfloat16/sum/8/67108864/manual_time",
             "RingSteps", "Incast", "AllToAll", "Fetch/ring", "Verify/ring/races", "PlanAgain", "PlanNewSize",
             "PlanFirst", "Flag/real_time", "Message/8/real_time", "Stream/8192/real_time",
             "CopyBehind/16/4096/manual_time", "AllReduceAlone/1", "AllReduceRing384Phantom"):
    assert part in names, f"{part} is not among {sorted(names)}"
assert sum(name.startswith("Fold/") for name in names) == 14 * (4 + 2) * 2
for row in rows:
    if row["name"].startswith("Fold/"):
        assert row["of_copy"] > 0 and row["fold"] > 0 and row["copy"] > 0, row
print(f"{len(rows)} benchmarks run")
