"""Roles and their rights: one table, read by the API and its documentation. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from lifecycle.errors import LifecycleError

Role = Literal["administrator", "owner", "manager", "viewer", "contact", "service"]
Right = Literal[
    "read", "read_people", "write", "transition", "register", "subscribe", "calendar", "observe", "administer"
]

ROLES: tuple[Role, ...] = get_args(Role)
RIGHTS: tuple[Right, ...] = get_args(Right)

GRANTED: Mapping[Role, frozenset[Right]] = {
    "administrator": frozenset(RIGHTS),
    "owner": frozenset({"read", "read_people", "write", "transition", "register", "subscribe"}),
    "manager": frozenset({"read", "read_people", "write", "transition"}),
    "viewer": frozenset({"read"}),
    "contact": frozenset({"read", "write", "transition", "calendar"}),
    "service": frozenset({"read", "write", "transition", "register", "subscribe"}),
}
"""`write`: documents, sign-offs, reports, answers, complaints, actions, actuals. `read_people`: email addresses.
`subscribe`: webhooks. `calendar`: the feed of one's own dates. `observe`: counts of the whole installation, for its operator."""

ACTS_AS_ITSELF: frozenset[Role] = frozenset({"manager", "contact"})
"""Roles that are a person of the partnership: they speak for themselves alone. Nobody accepts on another's behalf."""


class Forbidden(LifecycleError):
    """The token's role or scope does not reach so far."""

    problem_type = "forbidden"
    title = "Forbidden"


class Unauthorised(LifecycleError):
    """No token, or none that is known and good."""

    problem_type = "unauthorised"
    title = "Who are you?"


@dataclass(frozen=True)
class Identity:
    """Whom a request comes from, as its token says."""

    token: str
    """The token's prefix."""
    role: Role
    portfolio: str | None
    partnership_id: str | None
    contact_id: str | None
    scopes: frozenset[str] | None

    def may(self, right: Right) -> bool:
        """Whether the role has the right, and the token was given it."""
        return right in GRANTED[self.role] and (self.scopes is None or right in self.scopes)

    def require(self, right: Right) -> None:
        """Refuse what the token may not do.

        Raises:
            Forbidden: it may not.
        """
        if not self.may(right):
            raise Forbidden(
                f"A token of role “{self.role}” may not do this: it needs the right “{right}”.",
                mend="Use a token of another role or scope; `lifecycle token create` makes one.",
            )

    def require_portfolio(self, portfolio: str) -> None:
        """Refuse what concerns another portfolio.

        Raises:
            Forbidden: the token is confined to another one.
        """
        if self.portfolio not in {None, portfolio}:
            raise Forbidden(
                "This token is confined to another portfolio.",
                mend="Use one of the portfolio that you mean, or leave the portfolio out.",
            )

    def require_whole(self, portfolio: str) -> None:
        """Refuse what needs a whole portfolio.

        Raises:
            Forbidden: the token is confined to a partnership, or to another portfolio.
        """
        self.require_portfolio(portfolio)
        if self.partnership_id is not None:
            raise Forbidden(
                "This token is confined to one partnership.", mend="Use one that reaches the whole portfolio."
            )

    def reaches(self, portfolio: str, partnership_id: str) -> bool:
        """Whether a partnership lies within what the token is confined to."""
        return self.portfolio in {None, portfolio} and self.partnership_id in {None, partnership_id}

    def acting(self, on_behalf_of: str | None) -> str:
        """The contact in whose name a request is made.

        Args:
            on_behalf_of: whom the request names.

        Raises:
            Forbidden: a contact's token names somebody else.
            BehalfMissing: a token that is nobody's names nobody.
        """
        if self.role in ACTS_AS_ITSELF and self.contact_id is not None:
            if on_behalf_of not in {None, self.contact_id}:
                raise Forbidden(
                    f"This token is that of {self.contact_id}: nobody acts on another's behalf with it.",
                    mend="Leave On-Behalf-Of out.",
                )
            return self.contact_id
        if on_behalf_of is None:
            raise BehalfMissing(
                "It is not clear in whose name this is asked for.",
                mend="Name the contact who decided it, in the header On-Behalf-Of.",
            )
        return on_behalf_of


class BehalfMissing(LifecycleError):
    """A request that is made in somebody's name names nobody."""

    problem_type = "on-behalf-of-missing"
    title = "In whose name?"
