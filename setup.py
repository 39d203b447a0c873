"""Builds vis_projects and, where a compiler is at hand, its native ops as vis_projects/_C.so.

VIS_BUILD_EXT=auto (default) builds the ops where it can and otherwise prints one line;
VIS_BUILD_EXT=1 fails loudly when they cannot be built; VIS_BUILD_EXT=0 leaves them out.
Without them every op runs on its torch or pycocotools reference with equal results.

The ops use torch's stable ABI, so the library fits every Python and every torch >= 2.10.
"""

import glob
import os
from pathlib import Path

from setuptools import Extension, find_packages, setup
from setuptools.command.build_ext import build_ext

ROOT = Path(__file__).parent.resolve()
# 2.10 is the oldest torch whose stable ABI has all that csrc uses; a newer one loads the same binary.
STABLE_ABI_TARGET = "0x020a000000000000"


def build_mode() -> str:
    mode = os.environ.get("VIS_BUILD_EXT", "auto")
    if mode not in ("0", "auto", "1"):
        raise SystemExit(f"VIS_BUILD_EXT={mode!r} is not one of 0, auto, 1")
    return mode


def native_extension() -> Extension:
    """The one extension of all csrc/<op>/*.cpp; needs an importable torch >= 2.10."""
    import torch

    version = tuple(int(part) for part in torch.__version__.split("+")[0].split(".")[:2])
    if version < (2, 10):
        raise RuntimeError(f"torch {torch.__version__} lacks the stable ABI of torch >= 2.10")
    torch_dir = Path(torch.__file__).parent
    return Extension(
        "vis_projects._C",
        sources=sorted(glob.glob("csrc/*/*.cpp", root_dir=ROOT)),
        depends=sorted(glob.glob("csrc/*/*.h", root_dir=ROOT)),
        include_dirs=[str(torch_dir / "include"), str(torch_dir / "include/torch/csrc/api/include")],
        library_dirs=[str(torch_dir / "lib")],
        libraries=["torch_cpu", "torch", "c10"],
        extra_compile_args=["-std=c++20", "-O3", f"-DTORCH_TARGET_VERSION={STABLE_ABI_TARGET}"],
        language="c++",
    )


class BuildOps(build_ext):
    """build_ext whose result has no Python ABI in its name and whose failure `auto` survives."""

    def get_ext_filename(self, fullname: str) -> str:
        return os.path.join(*fullname.split(".")) + ".so"

    def get_export_symbols(self, ext: Extension) -> list[str]:
        return []  # a plain library for torch.ops.load_library: there is no PyInit function

    def build_extension(self, ext: Extension) -> None:
        try:
            super().build_extension(ext)
        except Exception as error:
            if build_mode() == "1":
                raise
            ext.optional = True  # nothing to copy afterwards
            print(f"vis_projects: native ops not built ({error}); the references run. VIS_BUILD_EXT=1 shows why.")


def extensions() -> list[Extension]:
    mode = build_mode()
    if mode == "0":
        return []
    try:
        return [native_extension()]
    except (ImportError, RuntimeError) as error:
        if mode == "1":
            raise SystemExit(
                f"VIS_BUILD_EXT=1 but the native ops cannot be built: {error}. Install torch >= 2.10 first and "
                "run pip with --no-build-isolation, so that the build sees it."
            ) from error
        print(f"vis_projects: native ops not built ({error}); the references run. See README, Install.")
        return []


setup(
    # the yaml files of configs/ travel inside the package, where vis_projects.model_zoo finds them
    packages=find_packages(include=["vis_projects", "vis_projects.*"]) + ["vis_projects.model_zoo.configs"],
    package_dir={"vis_projects.model_zoo.configs": "configs"},
    package_data={"vis_projects.model_zoo.configs": ["*.yaml", "*/*.yaml", "*/*/*.yaml"]},
    ext_modules=extensions(),
    cmdclass={"build_ext": BuildOps},
)
