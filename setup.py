"""Builds vis_projects and, where a compiler is at hand, its native ops (csrc/build.py says how).

VIS_BUILD_EXT=auto (default) builds the ops where it can and otherwise prints one line;
VIS_BUILD_EXT=1 fails loudly when they cannot be built; VIS_BUILD_EXT=0 leaves them out.
Without them every op runs on its torch or pycocotools reference with equal results.

CUDA kernels are built where nvcc and torch are of one CUDA major version, or with FORCE_CUDA=1, for the
architectures of TORCH_CUDA_ARCH_LIST (8.0 and 9.0 with PTX unless set).
"""

import importlib.util
import os
from pathlib import Path

from setuptools import Extension, find_packages, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_ext import build_ext

ROOT = Path(__file__).parent.resolve()


def build_mode() -> str:
    mode = os.environ.get("VIS_BUILD_EXT", "auto")
    if mode not in ("0", "auto", "1"):
        raise SystemExit(f"VIS_BUILD_EXT={mode!r} is not one of 0, auto, 1")
    return mode


class BuildOps(build_ext):
    """build_ext that hands the work to csrc/build.py and whose failure `auto` survives."""

    def run(self) -> None:
        in_place = self.inplace or getattr(self, "editable_mode", False)
        self._target = ROOT / "vis_projects" if in_place else Path(self.build_lib).resolve() / "vis_projects"
        if not self.extensions:
            return  # VIS_BUILD_EXT=0
        spec = importlib.util.spec_from_file_location("vis_projects_csrc_build", ROOT / "csrc" / "build.py")
        build = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(build)
        try:
            lines = build.build_libraries(self._target)
        except (ImportError, RuntimeError, ValueError, OSError) as error:
            if build_mode() == "1":
                raise SystemExit(
                    f"VIS_BUILD_EXT=1 but the native ops cannot be built: {error}\nThe build needs torch >= 2.10, "
                    "installed first and seen by it (pip install --no-build-isolation), and a C++20 compiler."
                ) from error
            cause = (str(error).splitlines() or [type(error).__name__])[0]
            lines = [f"native ops not built ({cause}); the references run. VIS_BUILD_EXT=1 shows why."]
        for line in lines:
            print(f"vis_projects: {line}")

    def get_outputs(self) -> list[str]:
        return [str(self._target / name) for name in ("_C.so", "_C_cuda.so") if (self._target / name).is_file()]

    def get_output_mapping(self) -> dict[str, str]:
        return {}  # an editable install finds the libraries where they were built


class AnyPythonWheel(bdist_wheel):
    """A wheel with native ops is of one platform and of no particular Python."""

    def get_tag(self) -> tuple[str, str, str]:
        python, abi, system = super().get_tag()
        return ("py3", "none", system) if self.distribution.has_ext_modules() else (python, abi, system)


setup(
    # the yaml files of configs/ travel inside the package, where vis_projects.model_zoo finds them
    packages=find_packages(include=["vis_projects", "vis_projects.*"]) + ["vis_projects.model_zoo.configs"],
    package_dir={"vis_projects.model_zoo.configs": "configs"},
    package_data={"vis_projects.model_zoo.configs": ["*.yaml", "*/*.yaml", "*/*/*.yaml"]},
    # a plain library without Python's ABI; the empty list of sources only tells that there is something to build
    ext_modules=[] if build_mode() == "0" else [Extension("vis_projects._C", sources=[])],
    cmdclass={"build_ext": BuildOps, "bdist_wheel": AnyPythonWheel},
)
