"""Compiles csrc/<op>/ into vis_projects/_C.so (CPU) and, where CUDA can be compiled, vis_projects/_C_cuda.so.

    python csrc/build.py                  both libraries, as far as this machine can
    python csrc/build.py --cuda-compile   every .cu for every architecture, not linked: shows that CUDA code compiles

What a file of csrc/<op>/ is follows from its name:
    *.simd.cpp   kernels without torch headers, compiled once per instruction level and chosen at run time
    cuda.cpp     registration of CUDA kernels, in _C_cuda.so
    *.cu         CUDA kernels without torch headers, in _C_cuda.so
    other *.cpp  in _C.so
Everything that includes torch uses its stable ABI, so that one binary serves every Python and every torch >= 2.10.
ninja is used where it is found; setup.py calls `build_libraries`.
"""

import fcntl
import os
import platform
import re
import shlex
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

CSRC = Path(__file__).resolve().parent
ROOT = CSRC.parent
OUT_DIR = ROOT / "build" / "csrc"
# 2.10 is the oldest torch whose stable ABI has all that csrc uses; a newer one loads the same binary.
OLDEST_TORCH = (2, 10)
STABLE_ABI = "-DTORCH_TARGET_VERSION=0x020a000000000000"
# IEEE results for inf and nan stay; only what no kernel reads (errno, exception flags) is given up
COMMON_FLAGS = ["-std=c++20", "-O3", "-fPIC", "-fvisibility=hidden", "-fno-math-errno", "-fno-trapping-math", "-Wall"]
LEVELS = {1: "x86-64", 3: "x86-64-v3", 4: "x86-64-v4"}
DEFAULT_ARCHES = "8.0 9.0+PTX"
X86 = platform.machine().lower() in ("x86_64", "amd64")


@dataclass
class Job:
    """One compiler call.

    Attributes:
        source, output: files.
        command: without the source, the output and the dependency file.
        levelled: an instruction-level object, which may hold no symbol that another level could replace.
    """

    source: Path
    output: Path
    command: list[str] = field(default_factory=list)
    levelled: bool = False

    @property
    def depfile(self) -> Path:
        return self.output.with_suffix(".d")

    def arguments(self) -> list[str]:
        return [*self.command, "-MMD", "-MF", str(self.depfile), "-c", str(self.source), "-o", str(self.output)]


def cpu_jobs(torch_dir: Path) -> list[Job]:
    """Jobs of _C.so."""
    compiler = [*_cxx(), *COMMON_FLAGS, f"-I{CSRC}"]
    jobs = []
    for source in sorted(CSRC.glob("*/*.cpp")):
        if source.name.endswith(".simd.cpp"):
            for level, march in LEVELS.items() if X86 else [(1, "")]:
                flags = [f"-march={march}"] if march else []
                command = [*compiler, *flags, f"-DVIS_LEVEL={level}"]
                jobs.append(Job(source, _object(source, f"v{level}"), command, True))
        elif source.name != "cuda.cpp":
            level_flag = [] if X86 else ["-DVIS_ONE_LEVEL"]
            jobs.append(Job(source, _object(source), [*compiler, *level_flag, *_torch_flags(torch_dir)]))
    return jobs


def cuda_jobs(torch_dir: Path, cuda_home: Path, arches: str) -> list[Job]:
    """Jobs of _C_cuda.so."""
    compiler = [*_cxx(), *COMMON_FLAGS, f"-I{CSRC}", "-DUSE_CUDA", f"-I{cuda_home / 'include'}"]
    jobs = [Job(source, _object(source), [*compiler, *_torch_flags(torch_dir)])
            for source in sorted(CSRC.glob("*/cuda.cpp"))]
    nvcc = [str(cuda_home / "bin" / "nvcc"), "-std=c++20", "-O3", "-Xcompiler", "-fPIC,-fvisibility=hidden",
            "--expt-relaxed-constexpr", f"-I{CSRC}", *gencode_flags(arches)]
    return jobs + [Job(source, _object(source), nvcc) for source in sorted(CSRC.glob("*/*.cu"))]


def gencode_flags(arches: str) -> list[str]:
    """nvcc flags of a TORCH_CUDA_ARCH_LIST such as "8.0;9.0a+PTX".

    Raises:
        ValueError: an entry is no architecture number.
    """
    flags = []
    for entry in re.split(r"[;,\s]+", arches.strip()):
        match = re.fullmatch(r"(\d+)\.(\d)([a-z]?)(\+PTX)?", entry)
        if not match:
            raise ValueError(f"TORCH_CUDA_ARCH_LIST has {entry!r}; give numbers such as 8.0;9.0+PTX")
        number = "".join(match.group(1, 2, 3))
        flags += ["-gencode", f"arch=compute_{number},code=sm_{number}"]
        if match.group(4):
            flags += ["-gencode", f"arch=compute_{number},code=compute_{number}"]
    return flags


def find_cuda() -> Path | None:
    """The folder of a CUDA toolkit with nvcc and headers, None where there is none."""
    candidates = [os.environ.get("CUDA_HOME"), os.environ.get("CUDA_PATH"), "/usr/local/cuda"]
    nvcc = shutil.which("nvcc")
    if nvcc:
        candidates.insert(2, str(Path(nvcc).resolve().parent.parent))
    for candidate in filter(None, candidates):
        home = Path(candidate)
        if (home / "bin" / "nvcc").is_file() and (home / "include" / "cuda_runtime.h").is_file():
            return home
    return None


def cuda_reason(torch_cuda: str | None, cuda_home: Path | None, forced: bool) -> str | None:
    """Why CUDA kernels are not built; None where they are.

    Args:
        torch_cuda: torch.version.cuda.
        cuda_home: of `find_cuda`.
        forced: FORCE_CUDA=1, which asks for no agreement of versions.
    """
    if cuda_home is None:
        return "no CUDA toolkit with nvcc found; set CUDA_HOME"
    if forced:
        return None
    if torch_cuda is None:
        return "this torch is a CPU build; FORCE_CUDA=1 builds all the same"
    version = nvcc_version(cuda_home)
    if version.split(".")[0] != torch_cuda.split(".")[0]:
        return f"nvcc is of CUDA {version}, torch of CUDA {torch_cuda}; FORCE_CUDA=1 builds all the same"
    return None


def nvcc_version(cuda_home: Path) -> str:
    """Such as "13.0"."""
    text = subprocess.run([cuda_home / "bin" / "nvcc", "--version"], capture_output=True, text=True, check=True).stdout
    return re.search(r"release (\d+\.\d+)", text).group(1)


def build_libraries(target_dir: Path) -> list[str]:
    """Compiles and links what this machine can into `target_dir`.

    Returns:
        lines that say what was built and what was not, with the reason.

    Raises:
        RuntimeError: torch is older than 2.10, or a compiler failed; the message has the first error.
        ImportError: there is no torch.
    """
    import torch

    version = tuple(int(part) for part in torch.__version__.split("+")[0].split(".")[:2])
    if version < OLDEST_TORCH:
        raise RuntimeError(f"torch {torch.__version__} lacks the stable ABI of torch >= 2.10")
    torch_dir = Path(torch.__file__).parent
    cuda_home = find_cuda()
    reason = cuda_reason(torch.version.cuda, cuda_home, os.environ.get("FORCE_CUDA") == "1")
    arches = os.environ.get("TORCH_CUDA_ARCH_LIST") or DEFAULT_ARCHES
    cpu, cuda = cpu_jobs(torch_dir), [] if reason else cuda_jobs(torch_dir, cuda_home, arches)
    compile_jobs([*cpu, *cuda])
    link = [*_cxx(), "-shared", "-Wl,--no-undefined", f"-L{torch_dir / 'lib'}"]
    target_dir.mkdir(parents=True, exist_ok=True)
    _link([*link, *_outputs(cpu), "-ltorch_cpu", "-lc10", "-lpthread"], target_dir / "_C.so")
    if reason:
        return [f"CPU ops built; CUDA kernels not built: {reason}"]
    # cudart is linked in, so that the library asks for no other CUDA file than torch itself
    cudart = [f"-L{cuda_home / 'lib64'}", f"-L{cuda_home / 'lib'}", "-lcudart_static", "-ldl", "-lrt", "-lpthread"]
    link.remove("-Wl,--no-undefined")  # a CPU build of torch has no torch_cuda, where the current stream comes from
    torch_cuda = ["-ltorch_cuda"] if (torch_dir / "lib" / "libtorch_cuda.so").is_file() else []
    _link([*link, *_outputs(cuda), *cudart, *torch_cuda, "-ltorch_cpu", "-lc10"], target_dir / "_C_cuda.so")
    return [f"CPU ops and CUDA kernels built (CUDA {nvcc_version(cuda_home)}, {arches})"]


def compile_jobs(jobs: list[Job]) -> None:
    """Runs the jobs whose output is older than what it depends on.

    Raises:
        RuntimeError: a compiler failed, with its first lines.
    """
    OUT_DIR.mkdir(parents=True, exist_ok=True)
    for job in jobs:
        job.output.parent.mkdir(parents=True, exist_ok=True)
    ninja = shutil.which("ninja")
    with (OUT_DIR / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # a second build of this tree waits, and then finds all done
        if ninja:
            _run_ninja(ninja, jobs)
        else:
            with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
                list(pool.map(_compile, jobs))
    for job in jobs:
        if job.levelled:
            check_levelled(job.output)


def check_levelled(path: Path) -> None:
    """Refuses an object that shares symbols across levels: the linker would keep one copy, perhaps of a wrong level.

    Raises:
        RuntimeError: naming the symbols.
    """
    nm = shutil.which("nm")
    if nm is None:
        return
    listed = subprocess.run([nm, "-C", "--defined-only", path], capture_output=True, text=True, check=True).stdout
    shared = [line for line in listed.splitlines() if re.search(r"\s[WVu]\s", line)]
    if shared:
        raise RuntimeError(f"{path.name} defines symbols that another instruction level could replace; put them into "
                           "an unnamed namespace: " + "; ".join(shared[:5]))


def _run_ninja(ninja: str, jobs: list[Job]) -> None:
    lines = ["ninja_required_version = 1.3", f"builddir = {_escape(OUT_DIR)}", "rule cc", "  command = $cmd",
             "  depfile = $dep", "  deps = gcc", ""]
    for job in jobs:
        command = " ".join(_quote(part) for part in job.arguments())
        lines += [f"build {_escape(job.output)}: cc {_escape(job.source)}", f"  cmd = {command}",
                  f"  dep = {_escape(job.depfile)}", ""]
    path = OUT_DIR / "build.ninja"
    path.write_text("\n".join(lines))
    done = subprocess.run([ninja, "-f", path, "-C", ROOT], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(_first_error(done.stdout + done.stderr))


def _compile(job: Job) -> None:
    if job.output.is_file() and job.depfile.is_file():
        listed = job.depfile.read_text().split(":", 1)[1].replace("\\\n", " ").split()
        built = job.output.stat().st_mtime
        if all(Path(name).is_file() and Path(name).stat().st_mtime < built for name in listed):
            return
    done = subprocess.run(job.arguments(), capture_output=True, text=True, cwd=ROOT)
    if done.returncode:
        raise RuntimeError(_first_error(done.stdout + done.stderr))


def _link(command: list[str], target: Path) -> None:
    part = target.with_suffix(".part")
    done = subprocess.run([*command, "-o", str(part)], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(_first_error(done.stderr))
    part.replace(target)  # a process that has the old library loaded keeps it


def _torch_flags(torch_dir: Path) -> list[str]:
    include = torch_dir / "include"
    return [f"-isystem{include}", f"-isystem{include / 'torch/csrc/api/include'}", STABLE_ABI]


def _object(source: Path, tag: str = "") -> Path:
    return OUT_DIR / source.parent.name / f"{source.name}{'.' + tag if tag else ''}.o"


def _outputs(jobs: list[Job]) -> list[str]:
    return [str(job.output) for job in jobs]


def _first_error(text: str, lines: int = 12) -> str:
    """The first error of a compiler or linker and what follows it, or else the first command that failed."""
    rows = text.splitlines()
    for sign in (r"\b(error|fatal)\s*:|undefined reference|cannot find", "^FAILED"):
        first = next((k for k, row in enumerate(rows) if re.search(sign, row)), None)
        if first is not None:
            return "\n".join(rows[first : first + lines])
    return "\n".join(rows[:lines]) or "the compiler failed without a message"


def _cxx() -> list[str]:
    """The C++ compiler of CXX, which may be a command of several words."""
    return shlex.split(os.environ.get("CXX") or "c++")


def _quote(text: str) -> str:
    return ("'" + text + "'" if re.search(r"[^\w@%+=:,./-]", text) else text).replace("$", "$$")


def _escape(path: Path) -> str:
    return re.sub(r"([ :$])", r"$\1", str(path))


def main(arguments: list[str]) -> int:
    """Builds in place, or compiles CUDA code only."""
    if arguments == ["--cuda-compile"]:
        import torch

        cuda_home = find_cuda()
        if cuda_home is None:
            print("no CUDA toolkit with nvcc found: no .cu was compiled")
            return 0
        arches = os.environ.get("TORCH_CUDA_ARCH_LIST") or DEFAULT_ARCHES
        jobs = cuda_jobs(Path(torch.__file__).parent, cuda_home, arches)
        compile_jobs(jobs)
        print(f"{len(jobs)} CUDA files compiled for {arches} with CUDA {nvcc_version(cuda_home)}")
        return 0
    if arguments:
        print(__doc__)
        return 2
    print("\n".join(build_libraries(ROOT / "vis_projects")))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (RuntimeError, ValueError, OSError) as failure:
        sys.exit(f"error: {failure}")
