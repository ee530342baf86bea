"""Libraries that tests build for themselves: drivers that misbehave, and wrappers around real ones."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

# An ICD that hands every question to the real one, as a shim, a layer or a leftover of an older installation does.
_WRAPPER = """\
#include <dlfcn.h>
#include <string.h>
typedef void *(*get_function)(const char *);
typedef int (*get_ids)(unsigned, void **, unsigned *);
static void *real(const char *name)
{
    return ((get_function)dlsym(dlopen("REAL", RTLD_LAZY), "clGetExtensionFunctionAddress"))(name);
}
int clIcdGetPlatformIDsKHR(unsigned many, void **ids, unsigned *count)
{
    return ((get_ids)real("clIcdGetPlatformIDsKHR"))(many, ids, count);
}
void *clGetExtensionFunctionAddress(const char *name)
{
    return strcmp(name, "clIcdGetPlatformIDsKHR") == 0 ? (void *)clIcdGetPlatformIDsKHR : real(name);
}
"""


def build_library(library: Path, source: str, *options: str) -> Path:
    """Compile C into a shared library; the test is skipped without gcc, or fails where platforms are required."""
    code = library.with_suffix(".c")
    code.write_text(source, encoding="utf-8")
    command = ["gcc", "-shared", "-fPIC", "-o", str(library), str(code), *options]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        if os.environ.get("WEEKOPS_REQUIRE_PLATFORMS"):
            pytest.fail("gcc is required here and missing")
        pytest.skip("gcc is not installed, so no library can be built")
    return library


def build_wrapper(library: Path, real: Path, remark: str = "") -> Path:
    """A driver library that answers with another one's answers; a ``remark`` gives it other contents."""
    mark = f'const char weekops_remark[] = "{remark}";\n'
    return build_library(library, _WRAPPER.replace("REAL", str(real)) + mark, "-ldl")
