"""Does with SQLAlchemy and psycopg 3 what applications do with them."""

import os

from models import Author, Base, author, check
from sqlalchemy import create_engine, func, select, text
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session, selectinload


def main(url):
    engine = create_engine(url.replace("postgres://", "postgresql+psycopg://"), pool_size=5)
    Base.metadata.create_all(engine)
    Base.metadata.create_all(engine)  # finds that all is there
    with Session(engine) as session:
        session.add_all(author(i) for i in range(20))
        session.commit()
    for i in range(20):
        with Session(engine) as session:
            found = session.scalars(
                select(Author).options(selectinload(Author.books)).where(Author.name == f"author {i}")
            ).one()
            check("array and JSON", (found.books[1].tags, found.books[0].doc), (["a", "b c"], {"size": i}))
    with Session(engine) as session:
        session.add(author(100))
        session.flush()
        session.rollback()
        check("authors after a rollback", session.scalar(select(func.count()).select_from(Author)), 20)
    with Session(engine) as session:
        try:
            session.add(author(1))
            session.commit()
            raise SystemExit("SQLAlchemy: a duplicate was taken")
        except IntegrityError:
            session.rollback()
            check("after an error", session.scalar(text("SELECT 42")), 42)
    with Session(engine) as session:
        try:
            session.execute(text("SET LOCAL statement_timeout = '200ms'"))
            session.execute(text("SELECT pg_sleep(30)"))
            raise SystemExit("SQLAlchemy: a query of 30 s has ended within 0.2 s")
        except OperationalError:
            session.rollback()
            check("after a timeout", session.scalar(text("SELECT 1")), 1)
    with engine.connect().execution_options(isolation_level="SERIALIZABLE") as conn:
        check("isolation", conn.scalar(text("SHOW transaction_isolation")), "serializable")
    with engine.connect() as conn:
        check("isolation afterwards", conn.scalar(text("SHOW transaction_isolation")), "read committed")
    engine.dispose()


main(os.environ["DATABASE_URL"])
