"""Guard of the installed subset against running in place of a real Detectron2."""

import os
from importlib import metadata

# The folder inside site-packages that the .pth file of our wheel appends to sys.path.
INSTALL_DIR = "_d2subset"


def refuse_to_shadow_real(package_file: str) -> None:
    """Stop the import when a real Detectron2 is installed but Python found the subset first.

    An ordinary installation or a clone on PYTHONPATH precedes the subset on sys.path. Only an editable
    installation that works through an import finder comes after it, and would be shadowed silently.
    A subset that somebody put on the path by hand (a source tree) is what they asked for and is left alone.

    Args:
        package_file: ``__file__`` of the package ``detectron2`` that is being imported.

    Raises:
        ImportError: the subset runs from its installed place and a distribution "detectron2" is installed too.
    """
    package_dir = os.path.dirname(os.path.abspath(package_file))
    if os.path.basename(os.path.dirname(package_dir)) != INSTALL_DIR:
        return
    try:
        real_version = metadata.version("detectron2")
    except metadata.PackageNotFoundError:
        return
    raise ImportError(
        f"the distribution detectron2 {real_version} is installed, but Python found its subset in {package_dir} first"
        " (an editable installation comes after it on the import path). Run `pip uninstall vis-projects-d2subset`,"
        " or reinstall the real one without `-e`."
    )
