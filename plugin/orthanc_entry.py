"""The PythonScript of Orthanc's configuration: the only file that imports `orthanc`. Hands it to Treegarth and no more.

Orthanc embeds the system's Python, so the packages of the virtual environment beside this checkout are added to
its path; where they are installed otherwise, TREEGARTH_SITE_PACKAGES names their folder.
"""

import gc
import os
import site
import sys
from pathlib import Path

_VERSION = f"python{sys.version_info[0]}.{sys.version_info[1]}"
_ROOT = Path(__file__).resolve().parents[1]
for _folder in (os.environ.get("TREEGARTH_SITE_PACKAGES"), _ROOT / ".venv" / "lib" / _VERSION / "site-packages"):
    if _folder and Path(_folder).is_dir():
        site.addsitedir(str(_folder))
        sys.path.remove(str(_folder))
        sys.path.insert(1, str(_folder))  # before Debian's own, older packages
        break

import orthanc  # noqa: E402

gc.disable()  # until all is loaded: a fifth of the time of the start

try:
    from treegarth import bootstrap
except ImportError as error:
    orthanc.LogError(
        f"Treegarth cannot start: Python {sys.version.split()[0]} finds no package {error.name!r}. "
        f"Run `make setup` in {_ROOT}, or name the folder of its packages in TREEGARTH_SITE_PACKAGES."
    )
    raise

bootstrap.start_in_orthanc(orthanc)
