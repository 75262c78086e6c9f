"""A binding's library exports what its headers declare, and a C program uses all of it.

Usage: exports_test.py LIBRARY PROGRAM HEADER... PROGRAM is the source of the C program.
"""
import pathlib
import re
import subprocess
import sys

library, program, headers = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3:]

declared = set()
for header in headers:
    text = pathlib.Path(header).read_text()
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    text = re.sub(r"^\s*#(.*\\\n)*.*$", "", text, flags=re.M)
    for name in re.findall(r"^CCL_NCCL_FUNCTION\([^,]*,\s*(\w+),", text, re.M):
        declared |= {name, "p" + name}
    declared |= set(re.findall(r"^CCL_(?:CUDA|HCCL|ACL)_API[^;(]*?\b(\w+)\(", text, re.M))
assert len(declared) > 50, declared

rows = [line.split() for line in subprocess.run(
    ["nm", "-D", "--defined-only", library], check=True, capture_output=True,
    text=True).stdout.splitlines()]
exported = {row[2].split("@")[0] for row in rows if row[1] != "A"}
assert exported == declared, f"not exported: {declared - exported}; leaked: {exported - declared}"

used = set(re.findall(r"\w+", program.read_text()))
assert declared <= used, f"{program.name} does not use {sorted(declared - used)}"
print(f"{len(declared)} functions, all exported and used")
