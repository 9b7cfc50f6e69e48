"""Does with SQLAlchemy and asyncpg what applications do with them."""

import asyncio
import os

from models import Author, Base, author, check
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import selectinload


async def main(url):
    url = url.replace("postgres://", "postgresql+asyncpg://").replace("sslmode=", "ssl=")
    engine = create_async_engine(url, pool_size=5)
    async with engine.begin() as conn:
        await conn.run_sync(Base.metadata.create_all)
        await conn.run_sync(Base.metadata.create_all)  # finds that all is there
    async with AsyncSession(engine) as session:
        session.add_all([author(i) for i in range(20)])
        await session.commit()

    async def read(i):
        async with AsyncSession(engine) as session:
            found = (
                await session.scalars(
                    select(Author).options(selectinload(Author.books)).where(Author.name == f"author {i}")
                )
            ).one()
            check("array and JSON", (found.books[1].tags, found.books[0].doc), (["a", "b c"], {"size": i}))

    await asyncio.gather(*(read(i) for i in range(20)))
    async with AsyncSession(engine) as session:
        session.add(author(100))
        await session.flush()
        await session.rollback()
        check("authors after a rollback", await session.scalar(select(func.count()).select_from(Author)), 20)
    async with AsyncSession(engine) as session:
        try:
            session.add(author(1))
            await session.commit()
            raise SystemExit("SQLAlchemy: a duplicate was taken")
        except IntegrityError:
            await session.rollback()
            check("after an error", await session.scalar(text("SELECT 42")), 42)
    async with AsyncSession(engine) as session:
        try:
            await session.execute(text("SET LOCAL statement_timeout = '200ms'"))
            await session.execute(text("SELECT pg_sleep(30)"))
            raise SystemExit("SQLAlchemy: a query of 30 s has ended within 0.2 s")
        except DBAPIError:
            await session.rollback()
            check("after a timeout", await session.scalar(text("SELECT 1")), 1)
    await engine.dispose()


asyncio.run(main(os.environ["DATABASE_URL"]))
