"""What `cclbench fabric` and `cclbench list fabrics` print, for every preset.

Usage: fabric_test.py CCLBENCH
"""
import os
import re
import subprocess
import sys
import tempfile

bench = sys.argv[1]


def run(*arguments, status=0):
    done = subprocess.run([bench, *arguments], capture_output=True, text=True, timeout=60)
    assert done.returncode == status, (arguments, done.returncode, done.stdout, done.stderr)
    return done.stdout if status == 0 else done.stderr


listed = {}
for line in run("list", "fabrics").splitlines():
    match = re.fullmatch(r"(\S+) +(\d+)  (\S.*)", line)
    if match:
        listed[match[1]] = int(match[2])
assert len(listed) >= 16 and listed["cloudmatrix384-dies"] == 768, listed

with tempfile.TemporaryDirectory() as folder:
    for name, endpoints in listed.items():
        text = run("fabric", "show", name)
        for part in ("Structure", "Drawing", "Paths", "Injection", "Bisection", f"Numbers of {name}",
                     f"(endpoint) x {endpoints}\n"):
            assert part in text, (name, part, text)
        numbers = text.split("Numbers of")[1].splitlines()[1:]
        assert len(numbers) >= 3 and all(
            re.search(r"\[(fit|high|medium|low|assumption)\] \S", line) for line in numbers), text
        # The file that is printed is the fabric.
        path = os.path.join(folder, f"{name}.toml")
        open(path, "w").write(run("fabric", "show", name, "--toml"))
        assert run("fabric", "check", path) == f"{path}: ok, {name}, {endpoints} endpoints\n"
        assert run("fabric", "show", path).split("\nNumbers")[0] == text.split("\nNumbers")[0]

    # Figures worked out by hand.
    text = run("fabric", "show", "cloudmatrix384")
    assert re.search(r"of one node +1 +200\.0 ns +392\.0 GB/s", text), text
    assert re.search(r"of one supernode +3 +800\.0 ns +392\.0 GB/s", text), text
    assert "Injection  392.0 GB/s an endpoint, 150.5 TB/s all" in text, text
    assert "Bisection  75.3 TB/s one way" in text, text
    assert re.search(r"node\.port_bandwidth +392 GB/s +\[medium\] 7 planes", text), text
    text = run("fabric", "show", "cloudmatrix384-dies")
    assert "Injection  217.0 GB/s an endpoint" in text, text  # SIO and UB, of one memory
    text = run("fabric", "show", "torus")  # 4x4x4: 16 lines cut twice
    assert "Bisection  1600.0 GB/s one way" in text, text
    assert re.search(r"nearest +1 +500\.0 ns", text) and re.search(r"farthest +6 +3000\.0 ns", text)
    text = run("fabric", "show", "fat-tree", "--set", "leaf.oversubscription=4")
    assert "Bisection  2400.0 GB/s one way" in text, text  # 192 x 50 / 4
    assert "set here: leaf.oversubscription=4" in text
    text = run("fabric", "show", "dgx-h100-superpod")
    assert "ports of its own at each endpoint, 50.0 GB/s" in text, text
    assert "Bisection  25.6 TB/s one way" in text, text  # 512 x 50
    text = run("fabric", "show", "fully-connected", "--ranks", "4")
    assert "Bisection  200.0 GB/s one way" in text and "Injection  150.0 GB/s" in text, text

    mine = os.path.join(folder, "mine.toml")
    open(mine, "w").write('preset = "crossbar"\n[switch]\nport_bandwidth = "1 GB/s"  # measured "#"\n')
    text = run("fabric", "show", mine)
    assert re.search(r"switch\.port_bandwidth +1 GB/s +measured \"#\"", text), text
    assert "Numbers of crossbar" in text, text
    open(mine, "w").write('preset = "crossbar"\nport_bandwith = "1 GB/s"\n')
    error = run("fabric", "check", mine, status=2)
    assert f'{mine}:2: unknown key "port_bandwith"' in error and "did you mean" in error, error
    assert "at most 384 endpoints, not 400" in run("fabric", "check", "cloudmatrix384", "--ranks", "400",
                                                   status=2)
    assert 'did you mean "torus"' in run("fabric", "show", "tours", status=2)
    assert "cannot open" in run("fabric", "check", os.path.join(folder, "none.toml"), status=2)
