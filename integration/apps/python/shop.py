"""What the programs have in common: arguments, clients, pages, the check of an answer.

Where a program has the variant tagged it is the loop, in statements that say in a comment
which request they are for.
"""

import sys
import traceback
from concurrent.futures import ThreadPoolExecutor


def check(user_id, email):
    """Compares what came with what belongs to a user."""
    if email != f"{user_id}@example.com":
        raise SystemExit(f"user {user_id}: got {email!r}")


def main(users, orders, first, close=None):
    """Has the clients work, each in a thread, one request after another without a pause.

    users and orders are the two requests. They get the id behind which their page begins,
    and whether they are to be as they should be. first returns the first id of each table;
    close, if there is one, ends the connection of its thread.
    """
    variant, clients, requests = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    if variant not in ("loop", "fixed", "tagged"):
        raise SystemExit("usage: loop|fixed|tagged CLIENTS REQUESTS")

    def work(number):
        try:
            before = first() - 1
            for i in range(requests):
                at = number * 131 + i * 37
                users(before + at % 480, variant == "fixed")
                orders(before + at % 2480, variant == "fixed")
        finally:
            if close:
                close()

    with ThreadPoolExecutor(clients) as pool:
        try:
            list(pool.map(work, range(clients)))
        except Exception:
            traceback.print_exc()
            raise SystemExit(1) from None
