"""The worked example of README.md, "Describe your own fabric".

Usage: readme_fabric_test.py CCLBENCH README
"""
import json
import os
import re
import subprocess
import sys
import tempfile

bench, readme = map(os.path.abspath, sys.argv[1:])
section = open(readme).read().split("## Describe your own fabric\n")[1].split("\n## ")[0]
boxes, override = re.findall(r"```toml\n(.*?)```", section, re.S)
printed = [line[4:] for line in section.splitlines() if line.startswith("    ")]
assert len(printed) >= 7, printed


def run(*arguments):
    return subprocess.run([bench, *arguments], check=True, capture_output=True, text=True,
                          timeout=60, cwd=folder).stdout


with tempfile.TemporaryDirectory() as folder:
    for name, text in (("boxes.toml", boxes), ("less.toml", override)):
        with open(os.path.join(folder, name), "w") as file:
            file.write(text)
    assert run("fabric", "check", "boxes.toml") == "boxes.toml: ok, boxes, 48 endpoints\n"
    shown = run("fabric", "show", "boxes.toml").splitlines()
    for line in printed:
        assert line in shown, f"README says '{line}', the program:\n" + "\n".join(shown)

    def fastest(*more):
        run("compare", "alltoall", "--fabric", "boxes.toml", "--sizes", "4MiB", "--json", "r.json", *more)
        with open(os.path.join(folder, "r.json")) as file:
            results = json.load(file)["results"]
        assert all(r["ranks"] == 48 and 0 < r["bound_fraction"] <= 1 for r in results), results
        return min(r["time_us"] for r in results)

    half, full = fastest(), fastest("--set", "leaf.oversubscription=1")
    print(f"alltoall of 4 MiB: {half} us, {full} us with all uplinks")
    assert full < half, (full, half)
    assert run("fabric", "check", "less.toml") == "less.toml: ok, cloudmatrix384, 96 endpoints\n"
