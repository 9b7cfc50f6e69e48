"""Does with Django what applications do with it."""

import os
from urllib.parse import urlsplit

import django
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
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth"],
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    TIME_ZONE="Europe/Paris",
    USE_TZ=True,
)
django.setup()

from django.contrib.auth.models import Group, Permission, User  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import IntegrityError, OperationalError, connection, transaction  # noqa: E402


def check(what, got, want):
    """Compares an answer."""
    if got != want:
        raise SystemExit(f"Django: {what}: got {got!r}, want {want!r}")


def one(sql, *args):
    """Returns the one value of a query."""
    with connection.cursor() as cursor:
        cursor.execute(sql, args)
        return cursor.fetchone()[0]


def main():
    call_command("migrate", verbosity=0)
    call_command("migrate", verbosity=0)  # finds nothing to do
    for i in range(20):
        user = User.objects.create(username=f"user {i}")
        user.groups.add(Group.objects.get_or_create(name=f"group {i % 3}")[0])
    for i in range(20):
        check("user", User.objects.get(username=f"user {i}").groups.get().name, f"group {i % 3}")
    check("prefetch", sum(len(g.user_set.all()) for g in Group.objects.prefetch_related("user_set")), 20)
    check("cursor", sum(1 for _ in Permission.objects.iterator(chunk_size=2)), Permission.objects.count())
    with transaction.atomic():
        User.objects.create(username="kept")
        try:
            with transaction.atomic():  # a savepoint
                User.objects.create(username="user 1")
            raise SystemExit("Django: a duplicate was taken")
        except IntegrityError:
            check("locked", User.objects.select_for_update().get(username="kept").username, "kept")
    check("users", User.objects.count(), 21)
    check("array and JSON", one("SELECT %s::text[] || '{\"c\": 1}'::jsonb::text", ["a", "b c"]), ["a", "b c", '{"c": 1}'])
    check("time zone", one("SHOW TimeZone"), "UTC")
    try:
        with transaction.atomic():
            one("SELECT set_config('statement_timeout', '200ms', true)")
            one("SELECT 1 FROM pg_sleep(30)")
        raise SystemExit("Django: a query of 30 s has ended within 0.2 s")
    except OperationalError:
        check("after a timeout", one("SELECT 1"), 1)


main()
