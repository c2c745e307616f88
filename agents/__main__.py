"""`python -m agents`: the tools over standard input and output, for the agent that started this process."""

from __future__ import annotations

import os
import re
import sys

from agents.api import Api
from agents.tools import make_server


def main() -> None:
    url, key = os.environ.get("CONTENTOPT_URL", ""), os.environ.get("CONTENTOPT_API_KEY", "")
    if not re.fullmatch(r"https?://\S+", url):
        sys.exit("Set CONTENTOPT_URL to where ContentOpt is, such as https://contentopt.example.")
    if not re.fullmatch(r"[!-~]+", key):
        sys.exit("Set CONTENTOPT_API_KEY to an API key of the workspace.")
    make_server(Api(url, key)).run()


main()
