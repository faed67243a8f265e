"""Playing the story: simulated time goes from one due instant to the next, and the flows do what is due."""

import asyncio
from collections.abc import Sequence
from datetime import datetime

from lifecycle.demo import promises
from lifecycle.demo.acts import Act, Office
from lifecycle.demo.chronicle import Chronicle
from lifecycle.demo.screen import Screen
from lifecycle.errors import Unavailable
from lifecycle.evaluation import opening
from lifecycle.notices import queries as notices
from lifecycle.obligations import record
from lifecycle.partnerships.escalations import DESCRIBE
from lifecycle.redress import monitor
from lifecycle.timers import service as timers

SWEEPS = ("escalations", "scheduled-reviews", "obligation-monitor", "gate-readiness")
"""In this order at one instant: whoever is still silent when a round closes is spoken to before it closes."""


async def play(story: Sequence[Act], office: Office, screen: Screen, ends_at: datetime) -> None:
    """Play every act at its instant; in between, whatever the clocks made due.

    Raises:
        Unavailable: a flow ran and left undone what was due.
    """
    player = _Player(office, screen)
    for act in story:
        await player.advance(act.at)
        await player.act(act)
    await player.advance(ends_at)


class _Player:
    def __init__(self, office: Office, screen: Screen) -> None:
        self.office, self.screen = office, screen
        self.chronicle = Chronicle(office.database)

    async def advance(self, until: datetime) -> None:
        """Go from due instant to due instant, and run the flows that each is for."""
        while due := self._due(until):
            instant, matters = due
            if record.DUE in matters:
                promises.keep(self.office.database, instant)
            for sweep in SWEEPS:
                if any(_sweep_of(matter) == sweep for matter in matters):
                    await self.office.flows.run(sweep, instant)
            again = self._due(instant)
            if again is None or again[1] <= matters:
                await self._settle(instant)
            # Else what was done made something else due at once: that comes first.

    async def act(self, act: Act) -> None:
        """Play an act, then what it made due at once."""
        told = await act.play(self.office)
        self.screen.act(act.at, act.partnership, told)
        await self.advance(act.at)
        await self._settle(act.at)

    def _due(self, until: datetime) -> tuple[datetime, set[str]] | None:
        """The earliest instant at which clocks are due, and their matters."""
        with self.office.database.read() as connection:
            due = timers.overdue_unfired(connection, until)
        if not due:
            return None
        instant = due[0][2]
        return instant, {matter for _, matter, at in due if at == instant}

    async def _settle(self, instant: datetime) -> None:
        """Send what is owed, show the news, and see that nothing due was left."""
        _heed_an_interrupt()
        with self.office.database.read() as connection:
            oldest = notices.oldest_pending(connection)
        if oldest is not None and oldest <= instant:
            await self.office.flows.run("send-notices", instant)
        for partnership, text in self.chronicle.news():
            self.screen.engine(instant, partnership, text)
        self.screen.emails(self.chronicle.sent())
        if (late := self._due(instant)) is not None:
            raise Unavailable(
                f"The flows left undone what was due on {late[0]:%Y-%m-%d %H:%M} UTC: {', '.join(sorted(late[1]))}.",
                mend="See the runs in the Prefect UI.",
            )


def _heed_an_interrupt() -> None:
    """Ctrl-C cancels this task; a flow run in which the cancellation got lost ends the story all the same.

    Raises:
        CancelledError: it was interrupted.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def _sweep_of(matter: str) -> str:
    if matter in DESCRIBE:
        return "escalations"
    if matter in {record.DUE, record.ANSWER, record.DECISION, *monitor.MATTERS}:
        return "obligation-monitor"
    return "gate-readiness" if matter in {"gate_readiness", opening.BEGINS} else "scheduled-reviews"
