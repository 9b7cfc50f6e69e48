"""Works with the shop as programs do that use SQLAlchemy.

DATABASE_URL=... sqlalchemy_app.py loop|fixed CLIENTS REQUESTS
"""

import os

import shop
from sqlalchemy import ForeignKey, create_engine, select, text
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, joinedload, mapped_column, relationship, selectinload


class Base(DeclarativeBase):
    """Has all tables."""


class User(Base):
    """Has orders."""

    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    email: Mapped[str]
    orders: Mapped[list["Order"]] = relationship(back_populates="user")


class Order(Base):
    """Is one user's."""

    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    total: Mapped[int]
    user: Mapped[User] = relationship(back_populates="orders")


# As many connections as there may be clients.
engine = create_engine(os.environ["DATABASE_URL"].replace("postgres://", "postgresql+psycopg://"), pool_size=64)


def users(after, fixed):
    """Shows a page of users with their orders."""
    page = select(User).where(User.id > after).order_by(User.id).limit(20)
    if fixed:
        page = page.options(selectinload(User.orders))
    with Session(engine) as session:
        for user in session.scalars(page):
            for order in user.orders:
                shop.check(order.user_id, user.email)


def orders(after, fixed):
    """Shows a page of orders with their users."""
    page = select(Order).where(Order.id > after).order_by(Order.id).limit(20)
    if fixed:
        page = page.options(joinedload(Order.user))
    with Session(engine) as session:
        for order in session.scalars(page):
            shop.check(order.user_id, order.user.email)


def first():
    """Returns the first id of each table."""
    with engine.connect() as conn:
        return conn.scalar(text("SELECT min(id) FROM accounts"))


shop.main(users, orders, first)
engine.dispose()
