"""Events of the topic `orders`: carts, orders, refunds and goals."""

from typing import TypeAlias

from schemas.envelope import Amount, Count, Currency, Envelope, Name, Price
from schemas.event_type import EventType


class AddToCart(Envelope, kw_only=True, gc=False, tag="add_to_cart"):
    """Something was put in the cart."""

    cart_id: Name | None = None
    revenue: Price | None = None


class RemoveFromCart(Envelope, kw_only=True, gc=False, tag="remove_from_cart"):
    """Something was taken out of the cart."""

    cart_id: Name | None = None
    revenue: Price | None = None


class CheckoutStarted(Envelope, kw_only=True, gc=False, tag="checkout_started"):
    """The checkout was opened."""

    cart_id: Name | None = None
    revenue: Price | None = None


class Order(Envelope, kw_only=True, gc=False, tag="order"):
    """An order was placed. Without revenue it counts and adds no money."""

    order_id: Name
    revenue: Price | None = None
    currency: Currency | None = None
    cart_id: Name | None = None
    quantity: Count | None = None


class Refund(Envelope, kw_only=True, gc=False, tag="refund"):
    """Money of an order was paid back."""

    order_id: Name
    revenue: Price


class Goal(Envelope, kw_only=True, gc=False, tag="goal"):
    """A goal that the product names was reached."""

    name: Name
    value: Amount | None = None


OrdersEvent: TypeAlias = AddToCart | RemoveFromCart | CheckoutStarted | Order | Refund | Goal

TYPES = (
    EventType(AddToCart, "orders", interactive=True),
    EventType(RemoveFromCart, "orders", interactive=True),
    EventType(CheckoutStarted, "orders", interactive=True),
    EventType(Order, "orders", interactive=True),
    EventType(Refund, "orders", in_session=False, passive=True),
    EventType(Goal, "orders", interactive=True),
)
