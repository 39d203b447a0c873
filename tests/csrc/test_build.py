"""The build of the native ops: architectures, the reason for no CUDA, refused objects, errors that show, setup.py."""

import importlib.util
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
COMPILER = shlex.split(os.environ.get("CXX") or "c++")


def _load_build():
    spec = importlib.util.spec_from_file_location("vis_projects_csrc_build", ROOT / "csrc" / "build.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


build = _load_build()
needs_compiler = pytest.mark.skipif(shutil.which(COMPILER[0]) is None, reason="no C++ compiler here")


def _codes(arches):
    flags = build.gencode_flags(arches)
    assert flags[::2] == ["-gencode"] * (len(flags) // 2)
    return flags[1::2]


def test_gencode_flags_of_numbers_with_any_separator():
    expected = ["arch=compute_80,code=sm_80", "arch=compute_90,code=sm_90"]
    for arches in ("8.0;9.0", "8.0 9.0", "8.0,9.0", " 8.0;  9.0 "):
        assert _codes(arches) == expected


def test_ptx_adds_code_for_later_devices():
    assert _codes("9.0+PTX") == ["arch=compute_90,code=sm_90", "arch=compute_90,code=compute_90"]
    assert _codes("9.0a") == ["arch=compute_90a,code=sm_90a"]
    assert _codes("12.0a+PTX") == ["arch=compute_120a,code=sm_120a", "arch=compute_120a,code=compute_120a"]


@pytest.mark.parametrize(
    "arches, entry", [("8.0;Hopper", "Hopper"), ("80", "80"), ("9.0+ptx", "9.0+ptx"), ("", ""), ("8.0;;", "")]
)
def test_a_broken_architecture_is_named(arches, entry):
    with pytest.raises(ValueError, match=re.escape(f"TORCH_CUDA_ARCH_LIST has {entry!r}; give numbers such as")):
        build.gencode_flags(arches)


@pytest.fixture
def cuda_home(tmp_path):
    """A toolkit of CUDA 13.0, as far as it is asked for its version."""
    nvcc = tmp_path / "bin" / "nvcc"
    nvcc.parent.mkdir()
    nvcc.write_text("#!/bin/sh\necho 'Cuda compilation tools, release 13.0, V13.0.88'\n")
    nvcc.chmod(0o755)
    return tmp_path


def test_cuda_is_built_where_the_major_versions_agree(cuda_home):
    assert build.nvcc_version(cuda_home) == "13.0"
    assert build.cuda_reason("13.2", cuda_home, forced=False) is None


def test_the_reason_for_no_cuda_is_given(cuda_home):
    assert "nvcc is of CUDA 13.0, torch of CUDA 12.8" in build.cuda_reason("12.8", cuda_home, forced=False)
    assert "this torch is a CPU build" in build.cuda_reason(None, cuda_home, forced=False)
    assert "set CUDA_HOME" in build.cuda_reason("13.0", None, forced=False)


def test_force_cuda_asks_for_a_toolkit_only(cuda_home):
    assert build.cuda_reason("12.8", cuda_home, forced=True) is None
    assert build.cuda_reason(None, cuda_home, forced=True) is None
    assert "set CUDA_HOME" in build.cuda_reason("13.0", None, forced=True)


def _compiled(tmp_path, text):
    source, output = tmp_path / "kernel.cpp", tmp_path / "kernel.o"
    source.write_text(text)
    subprocess.run([*COMPILER, "-O0", "-c", source, "-o", output], check=True)
    return output


@needs_compiler
def test_a_levelled_object_with_a_weak_symbol_is_refused(tmp_path):
    text = "inline int twice(int x) { return 2 * x; }\nint use(int x) { return twice(x); }\n"
    with pytest.raises(RuntimeError, match=r"kernel.o defines symbols .* an unnamed namespace: .*twice\(int\)"):
        build.check_levelled(_compiled(tmp_path, text))


@needs_compiler
def test_a_levelled_object_of_its_own_symbols_passes(tmp_path):
    text = "namespace { int twice(int x) { return 2 * x; } }\nint use(int x) { return twice(x); }\n"
    build.check_levelled(_compiled(tmp_path, text))


@pytest.fixture(params=["ninja", "no ninja"])
def build_folder(request, tmp_path, monkeypatch):
    """A folder that the build writes to, with ninja where it is there, and without."""
    which, hidden = shutil.which, "ninja" if request.param == "no ninja" else None
    monkeypatch.setattr(build, "OUT_DIR", tmp_path)
    monkeypatch.setattr(build.shutil, "which", lambda name: None if name == hidden else which(name))
    return tmp_path


def _job(folder, name, text):
    source = folder / f"{name}.cpp"
    source.write_text(text)
    return build.Job(source, folder / "objects" / f"{name}.o", COMPILER)


@needs_compiler
def test_the_first_error_of_the_compiler_is_shown(build_folder):
    job = _job(build_folder, "broken", "int fine;\nint broken = missing;\nint more = absent;\n")
    with pytest.raises(RuntimeError) as caught:
        build.compile_jobs([job])
    first = str(caught.value).splitlines()[0]
    assert "broken.cpp:2" in first and "error:" in first and "missing" in first
    assert not job.output.exists()


@needs_compiler
def test_only_what_changed_is_compiled_again(build_folder):
    header = build_folder / "size.h"
    header.write_text("#define SIZE 1\n")
    jobs = [_job(build_folder, "uses", '#include "size.h"\nint size = SIZE;\n'),
            _job(build_folder, "other", "int other;\n")]
    build.compile_jobs(jobs)
    for path in build_folder.rglob("*.*"):
        os.utime(path, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns - 5 * 10**9))
    before = [job.output.stat().st_mtime_ns for job in jobs]
    build.compile_jobs(jobs)
    header.write_text("#define SIZE 2\n")
    build.compile_jobs(jobs)
    after = [job.output.stat().st_mtime_ns for job in jobs]
    assert after[0] > before[0] and after[1] == before[1]


def test_a_linker_error_is_shown_before_the_summary():
    text = ("/usr/bin/ld: a.o: in function `f':\na.cpp:3: undefined reference to `g()'\n"
            "collect2: error: ld returned 1 exit status\n")
    assert build._first_error(text).splitlines()[0] == "a.cpp:3: undefined reference to `g()'"


def test_the_compiler_may_be_a_command_of_several_words(monkeypatch):
    monkeypatch.setenv("CXX", "ccache g++ -m64")
    job = build.cpu_jobs(ROOT)[0]
    assert job.command[:3] == ["ccache", "g++", "-m64"]


@pytest.fixture(scope="module")
def source_tree(tmp_path_factory):
    """What setup.py needs of the project, copied, so that the build writes nothing into the work tree."""
    folder = tmp_path_factory.mktemp("project")
    for name in ("setup.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder)
    shutil.copytree(ROOT / "csrc", folder / "csrc", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("vis_projects", "configs"):
        (folder / name).mkdir()
    (folder / "vis_projects" / "__init__.py").write_text("")
    return folder


def _build_ext(source_tree, target, mode):
    environment = {**os.environ, "VIS_BUILD_EXT": mode, "CXX": "false", "CUDA_HOME": "", "CUDA_PATH": ""}
    folders = ["--build-lib", str(target), "--build-temp", str(target / "temp")]
    command = [sys.executable, "setup.py", "build_ext", *folders]
    done = subprocess.run(command, cwd=source_tree, env=environment, capture_output=True, text=True)
    assert not list(target.rglob("*.so")) and not list((source_tree / "vis_projects").glob("*.so"))
    return done


def test_setup_fails_with_the_error_when_the_ops_are_demanded(source_tree, tmp_path):
    done = _build_ext(source_tree, tmp_path, "1")
    assert done.returncode != 0
    assert "VIS_BUILD_EXT=1 but the native ops cannot be built: " in done.stderr and "Traceback" not in done.stderr
    # with ninja the command that failed, without it what a compiler says that says nothing
    assert re.search(r"^false -std=|without a message", done.stderr, re.MULTILINE)


def test_setup_survives_a_broken_compiler_with_one_line(source_tree, tmp_path):
    done = _build_ext(source_tree, tmp_path, "auto")
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stdout.splitlines() if line.startswith("vis_projects: ")]
    assert len(lines) == 1 and lines[0].startswith("vis_projects: native ops not built (")
    assert "VIS_BUILD_EXT=1 shows why" in lines[0]


def test_setup_builds_nothing_on_request(source_tree, tmp_path):
    done = _build_ext(source_tree, tmp_path, "0")
    assert done.returncode == 0, done.stderr
    assert "vis_projects: " not in done.stdout


def test_setup_names_an_unknown_mode(source_tree, tmp_path):
    done = _build_ext(source_tree, tmp_path, "yes")
    assert done.returncode != 0 and "VIS_BUILD_EXT='yes' is not one of 0, auto, 1" in done.stderr
