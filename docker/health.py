"""Exit 0 when Treegarth in this container answers that it is healthy, 1 otherwise. Standard library only."""

from __future__ import annotations

import base64
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping

URL = "http://127.0.0.1:8042/treegarth/api/v1/health"
TIMEOUT_S = 4


def is_healthy(url: str, environment: Mapping[str, str]) -> bool:
    login = f"{environment.get('HEALTH_USER', '')}:{environment.get('HEALTH_PASSWORD', '')}"
    basic = base64.b64encode(login.encode()).decode()
    request = urllib.request.Request(url, headers={"Authorization": f"Basic {basic}"})
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, TimeoutError) as error:
        print(f"{url}: {error}", file=sys.stderr)
        return False


if __name__ == "__main__":
    sys.exit(0 if is_healthy(URL, os.environ) else 1)
