"""What drivers are known to read at each build and close again, so that no map of the process shows it.

Compilers open their headers, built-in functions and linkers for the time of one build. Where these lie follows from
where the library lies that reads them; the table is what was seen with a system call trace of each driver.
"""

from __future__ import annotations

import glob
import re
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

# Of a mapped library's name: patterns below its directory, links resolved, or absolute ones.
_READ_BY = (
    # PoCL: headers, and the built-in functions as bitcode; the last one is where the wheel keeps them.
    (
        re.compile(r"^libpocl[-.]"),
        tuple(
            f"{share}/pocl/{pattern}"
            for share in ("../../share", "../share", "../../pocl_binary_distribution/.libs/share")
            for pattern in ("*.bc", "include/*.h", "include/*/*.h")
        ),
    ),
    # Clang's own OpenCL headers, which Mesa's compiler includes.
    (re.compile(r"^libclang|^libLLVM"), ("clang/*/include/opencl-c*.h", "../lib/clang/*/include/opencl-c*.h")),
    # Mesa: libclc's built-in functions, as SPIR-V and, for AMD and NVIDIA under Clover, as bitcode.
    (
        re.compile(r"^lib(Rusticl|Mesa)OpenCL"),
        ("/usr/lib/clc/*mesa3d*", "/usr/share/clc/*mesa3d*", "../../share/clc/*mesa3d*", "../share/clc/*mesa3d*"),
    ),
    (re.compile(r"^libintelocl"), ("*.rtl", "cllibrary*.o", "cl.cfg")),
    # NVIDIA's compiler, in libraries that may be unloaded after a build; these and AMD's by what their packages hold.
    (
        re.compile(r"^libnvidia-opencl"),
        ("libnvidia-compiler.so.*", "libnvidia-nvvm*.so.*", "libnvidia-ptxjitcompiler.so.*", "libnvidia-gpucomp.so.*"),
    ),
    (re.compile(r"^lib(amdocl64|amd_comgr)"), ("../amdgcn/bitcode/*.bc", "../../amdgcn/bitcode/*.bc")),
)
# Programs that a driver calls at each build.
_CALLED_BY = ((re.compile(r"^libpocl[-.]"), "ld"),)


def read_at_builds(libraries: Iterable[str]) -> list[str]:
    """The files, links resolved, that drivers with these mapped libraries read or run at builds; sorted."""
    found = {str(Path(path).resolve()) for library in libraries for path in _of(Path(library))}
    return sorted(found)


def _of(library: Path) -> Iterator[str]:
    for name, patterns in _READ_BY:
        if name.search(library.name):
            for pattern in patterns:
                yield from glob.glob(str(Path(glob.escape(str(library.parent))) / pattern))  # noqa: PTH207
    for name, program in _CALLED_BY:
        if name.search(library.name) and (path := shutil.which(program)):
            yield path
