"""Works with the shop as programs do that use Django.

DATABASE_URL=... django_app.py loop|fixed|tagged CLIENTS REQUESTS
"""

import os
import sys
import uuid
from urllib.parse import quote, urlsplit

import django
import shop
from django.conf import settings

url = urlsplit(os.environ["DATABASE_URL"])
settings.configure(
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "HOST": url.hostname,
            "PORT": url.port,
            "USER": url.username,
            "PASSWORD": url.password,
            "NAME": url.path[1:],
            "CONN_MAX_AGE": 60,
            "OPTIONS": {"sslmode": "disable"},
        }
    },
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
)
django.setup()

from django.db import connection, models  # noqa: E402


class User(models.Model):
    """Has orders."""

    name = models.TextField()
    email = models.TextField(unique=True)

    class Meta:
        app_label = "shop"
        db_table = "users"


class Order(models.Model):
    """Is one user's."""

    user = models.ForeignKey(User, models.CASCADE, related_name="orders")
    total = models.BigIntegerField()

    class Meta:
        app_label = "shop"
        db_table = "orders"


def tagged(route):
    """Has a request say in its statements which one it is, as sqlcommenter does."""

    def decorate(request):
        def run(*args):
            if sys.argv[1] != "tagged":
                return request(*args)
            tags = f"framework='django',request_id='{uuid.uuid4()}',route='{quote(route, safe='')}'"
            # A % in a statement with parameters is written twice.
            comment = f" /*{tags}*/".replace("%", "%%")
            with connection.execute_wrapper(lambda execute, sql, *more: execute(sql + comment, *more)):
                return request(*args)

        return run

    return decorate


@tagged("/users")
def users(after, fixed):
    """Shows a page of users with their orders."""
    page = User.objects.filter(id__gt=after).order_by("id")
    if fixed:
        page = page.prefetch_related("orders")
    for user in page[:20]:
        for order in user.orders.all():
            shop.check(order.user_id, user.email)


@tagged("/orders")
def orders(after, fixed):
    """Shows a page of orders with their users."""
    page = Order.objects.filter(id__gt=after).order_by("id")
    if fixed:
        page = page.select_related("user")
    for order in page[:20]:
        shop.check(order.user_id, order.user.email)


def first():
    """Returns the first id of each table."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT min(id) FROM accounts")
        return cursor.fetchone()[0]


# The connection is that of the thread that asks for it, as the method is.
shop.main(users, orders, first, lambda: connection.close())
