"""All tables, imported once so that `metadata` is complete (migrations, tests)."""

from lifecycle.access import models as access
from lifecycle.audit import models as audit
from lifecycle.db import metadata
from lifecycle.documents import models as documents
from lifecycle.evaluation import models as evaluation
from lifecycle.gates import models as gates
from lifecycle.notices import models as notices
from lifecycle.obligations import models as obligations
from lifecycle.partnerships import models as partnerships
from lifecycle.redress import models as redress
from lifecycle.reviews import models as reviews
from lifecycle.subscriptions import models as subscriptions
from lifecycle.timers import models as timers

__all__ = [
    "access",
    "audit",
    "documents",
    "evaluation",
    "gates",
    "metadata",
    "notices",
    "obligations",
    "partnerships",
    "redress",
    "reviews",
    "subscriptions",
    "timers",
]
