"""The subset brings no data sets of its own."""

import subprocess
import sys
from pathlib import Path

import detectron2


def test_import_registers_nothing_and_loads_no_optional_package():
    program = (
        "import detectron2.data, detectron2.solver, sys;"
        "assert detectron2.data.DatasetCatalog.list() == [] and detectron2.data.MetadataCatalog.list() == [];"
        "print(sorted({'cv2', 'omegaconf', 'black'} & set(sys.modules)))"
    )
    source = str(Path(detectron2.__file__).resolve().parents[1])
    result = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {source!r}); {program}"], capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() == "[]"
