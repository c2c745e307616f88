from __future__ import annotations

import argparse
import sys
from pathlib import Path

from stripe_server.account import Account
from stripe_server.delivery import Postman
from stripe_server.http import StripeServer
from stripe_server.resources.endpoints import make_endpoint


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m stripe_server", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0: any that is free; it is printed")
    parser.add_argument(
        "--state", type=Path, help="a file to keep everything in; without one it is forgotten at the end"
    )
    parser.add_argument("--endpoint", default="", metavar="URL", help="send signed webhooks here")
    parser.add_argument("--secret", default="", help="that signs them")
    arguments = parser.parse_args()
    account = Account(arguments.state)
    if arguments.endpoint:
        account.objects["webhook_endpoint"] = {}
        make_endpoint(account, arguments.endpoint, arguments.secret)
    server = StripeServer((arguments.host, arguments.port), account)
    server.start_clock()
    Postman(account).start()
    sys.stdout.write(f"{server.server_port}\n")
    sys.stdout.flush()
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        account.keep()


if __name__ == "__main__":
    main()
