"""The tables of the two SQLAlchemy programs."""

from sqlalchemy import ForeignKey, String
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


class Base(DeclarativeBase):
    """Has all tables."""


class Author(Base):
    """Has written books."""

    __tablename__ = "authors"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(50), unique=True)
    books: Mapped[list["Book"]] = relationship(order_by="Book.id")


class Book(Base):
    """Has one author."""

    __tablename__ = "books"
    id: Mapped[int] = mapped_column(primary_key=True)
    author_id: Mapped[int] = mapped_column(ForeignKey("authors.id"))
    title: Mapped[str]
    tags: Mapped[list[str]] = mapped_column(ARRAY(String))
    doc: Mapped[dict] = mapped_column(JSONB)


def check(what, got, want):
    """Compares an answer."""
    if got != want:
        raise SystemExit(f"SQLAlchemy: {what}: got {got!r}, want {want!r}")


def author(i):
    """Returns a new author with two books."""
    books = [Book(title=t, tags=["a", "b c"], doc={"size": i}) for t in ("first", "second")]
    return Author(name=f"author {i}", books=books)
