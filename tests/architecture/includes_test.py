"""Dependencies point down: walks every include and names each one that points up or sideways.

Usage: includes_test.py ROOT. Exit status 1 when a rule is broken.
"""
import pathlib
import re
import sys

# What a room may include of the project, by the longest prefix that matches the file.
ALLOWED = {
    "fabric": ["fabric"],
    "ccl": ["ccl"],
    "ccl/base": ["ccl/base"],
    "ccl/schedule": ["ccl/base", "ccl/schedule"],
    "ccl/topology": ["ccl/base", "ccl/topology"],
    "ccl/algorithms": ["ccl/base", "ccl/schedule", "ccl/topology", "ccl/algorithms"],
    "ccl/backend": ["ccl/base", "ccl/topology", "ccl/backend"],
    "ccl/plan": ["ccl/base", "ccl/schedule", "ccl/topology", "ccl/algorithms", "ccl/plan"],
    "ccl/exec": ["ccl/base", "ccl/schedule", "ccl/topology", "ccl/backend", "ccl/exec"],
    "ccl/bindings/runtime": ["ccl/ccl.h", "ccl/bindings/runtime"],
    "ccl/bindings/nccl": ["ccl/ccl.h", "ccl/bindings/runtime", "ccl/bindings/nccl"],
    "ccl/bindings/hccl": ["ccl/ccl.h", "ccl/bindings/runtime", "ccl/bindings/hccl"],
    "transports": ["ccl/base", "ccl/topology", "ccl/backend", "transports"],
    "transports/emulated": ["ccl/base", "ccl/topology", "ccl/backend", "transports/emulated", "fabric"],
    "bench": ["ccl", "fabric", "transports", "bench"],
    "examples": ["ccl/ccl.h", "ccl/mpi.h", "examples"],
    "tests": ["ccl", "fabric", "transports", "bench", "tests"],
}
# Third-party headers and the only places that may see them.
CONFINED = {
    r"mpi\.h": ["transports/mpi", "ccl/mpi.h", "examples", "tests"],
    r"boost/asio.*": ["transports/tcp", "transports/emulated/pacer.cc"],
    r"hwy/.*": ["ccl/backend", "tests/backend"],
    r"hwloc\.h": ["transports/location.cc"],
    r"toml\+\+/.*": ["fabric/file.cc", "bench"],
    r"nlohmann/.*": ["bench", "ccl/bindings/hccl/rank_table.cc", "tests"],
    r"CLI/.*": ["bench"],
    r"gtest/.*|gmock/.*": ["tests"],
    r"benchmark/.*": ["bench"],
    r"gloo/.*": ["bench/gloo_peer.cc"],
}
ROOMS = ("ccl", "fabric", "transports", "bench", "tests", "examples")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)


def under(path, prefixes):
    return any(path == p or path.startswith(p + "/") for p in prefixes)


def main(root):
    broken, files, includes = [], 0, 0
    for room in ROOMS:
        for path in sorted((root / room).rglob("*")):
            if path.suffix not in (".h", ".cc", ".c") or not path.is_file():
                continue
            name = path.relative_to(root).as_posix()
            rule = max((k for k in ALLOWED if under(name, [k])), key=len)
            files += 1
            for bracket, target in INCLUDE.findall(path.read_text()):
                includes += 1
                ours = target.split("/")[0] in ROOMS and (root / target).exists()
                if bracket == '"' and ours and not under(target, ALLOWED[rule]):
                    broken.append(f"{name} includes {target}: {rule}/ may not")
                for pattern, places in CONFINED.items():
                    if re.fullmatch(pattern, target) and not ours and not under(name, places):
                        broken.append(f"{name} includes {target}: only {', '.join(places)} may")
    print(f"{files} files, {includes} includes, {len(broken)} broken rules")
    for line in broken:
        print(" ", line)
    return 1 if broken or files == 0 else 0


sys.exit(main(pathlib.Path(sys.argv[1])))
