"""What is installed, and what the libraries in it show to the world.

Usage: tree_test.py PREFIX LIBDIR INCLUDEDIR BUILD MODULES
"""
import pathlib
import re
import subprocess
import sys

prefix, libdir, includedir, build, module_count = sys.argv[1:]
prefix = pathlib.Path(prefix)
lib, include = prefix / libdir, prefix / includedir


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def exports(library):
    """Defined dynamic symbols; those of type A are the names of versions."""
    rows = [line.split() for line in output("nm", "-D", "--defined-only", library).splitlines()]
    return {row[2].split("@")[0] for row in rows if row[1] != "A"}


def dynamic(library, tag):
    return re.findall(rf"\({tag}\).*\[(.*)\]", output("readelf", "-d", library))


# Only the headers that users need, and they are the sources'.
headers = sorted(p.relative_to(include).as_posix() for p in include.rglob("*") if p.is_file())
hccl = ["acl/acl.h", "hccl/hccl.h", "hccl/hccl_types.h"] if (lib / "libccl_hccl.so").exists() else []
assert headers == [*(f"ccl/bindings/hccl/{name}" for name in hccl), "ccl/bindings/nccl/cuda_runtime.h",
                   "ccl/bindings/nccl/nccl.h", "ccl/ccl.h", "ccl/mpi.h"], headers

# The systems that are built in are there to copy.
fabrics = {p.name for p in (prefix / "share/ccl/fabrics").iterdir()}
assert {"cloudmatrix384.toml", "dgx-h100.toml", "fat-tree.toml"} <= fabrics, fabrics
assert all(name.endswith(".toml") for name in fabrics), fabrics

# The library exports what ccl.h declares: no less, no more.
declared = set(re.findall(r"^CCL_API[^;(]*\b(ccl\w+)\(", (include / "ccl/ccl.h").read_text(), re.M))
exported = exports(lib / "libccl.so")
assert len(declared) > 30, declared
assert exported == declared, f"not exported: {declared - exported}; leaked: {exported - declared}"
assert not [n for n in dynamic(lib / "libccl.so", "NEEDED") if "mpi" in n], "libccl links MPI"
assert dynamic(lib / "libccl.so", "SONAME") == ["libccl.so.0"], dynamic(lib / "libccl.so", "SONAME")
print(f"libccl.so exports the {len(exported)} functions of ccl.h")

# Beside the library, where it looks for them before it looks elsewhere.
modules = sorted(lib.glob("libccl_mpi_*.so"))
assert len(modules) == int(module_count), modules
for module in modules:
    assert exports(module) == {"ccl_mpi_module"}, exports(module)
    print(f"{module.name} exports ccl_mpi_module")

# What looks for the module finds it without a copy or link of its own.
assert [p for p in prefix.rglob("libccl_mpi_*.so")] == modules, list(prefix.rglob("libccl_mpi_*.so"))

# Everything that is loaded finds the rest relative to itself, or in the system.
for binary in [lib / "libccl.so", lib / "libccl_nccl.so", lib / "libccl_hccl.so", *modules,
               prefix / "bin/cclbench"]:
    if not binary.exists():
        continue
    for path in ":".join(dynamic(binary, "RUNPATH") + dynamic(binary, "RPATH")).split(":"):
        assert build not in path and str(prefix) not in path, f"{binary}: runpath {path}"
for text in [*lib.rglob("*.cmake"), *lib.rglob("*.pc")]:
    for place in (build, f"{prefix}.first", str(prefix)):
        assert place not in text.read_text(), f"{text} remembers {place}"
for link in [p for p in prefix.rglob("*") if p.is_symlink()]:
    assert link.exists(), f"{link} leads nowhere"
    assert not pathlib.Path(link.readlink()).is_absolute(), f"{link} is absolute"
