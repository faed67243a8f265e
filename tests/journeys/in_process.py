"""The flows' services without Prefect: the demo's story on any database, in seconds."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from lifecycle.config import Settings
from lifecycle.db import Database
from lifecycle.obligations.monitor import sweep_obligations
from lifecycle.partnerships import service
from lifecycle.partnerships.correspondence import send_notices
from lifecycle.partnerships.digests import owe_digests
from lifecycle.partnerships.escalations import sweep_escalations
from lifecycle.partnerships.readiness import sweep_readiness
from lifecycle.redress.monitor import sweep_complaints
from lifecycle.reviews.occasions import sweep_half_times
from lifecycle.reviews.service import sweep_reviews


class InProcess:
    """Calls what each flow calls."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self.database, self.settings = database, settings
        self.runs: Counter[str] = Counter()

    async def run(self, name: str, as_of: datetime, **parameters: Any) -> None:
        self.runs[name] += 1
        if name == "gate-check":
            service.decide(self.database, parameters["transition_id"], as_of)
        elif name == "send-notices":
            send_notices(self.database, self.settings, as_of)
        else:
            for sweep in _SWEEPS[name]:
                sweep(self.database, as_of)


_SWEEPS: Mapping[str, Sequence[Callable[[Database, datetime], object]]] = {
    "gate-readiness": [sweep_readiness],
    "escalations": [sweep_escalations],
    "scheduled-reviews": [sweep_reviews, sweep_half_times],
    "obligation-monitor": [sweep_obligations, sweep_complaints],
    "portfolio-digest": [owe_digests],
}
