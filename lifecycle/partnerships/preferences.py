"""What a contact prefers of what they read: its language, its time zone, how often a digest comes."""

from datetime import datetime

from sqlalchemy import update

from lifecycle.db import Database
from lifecycle.documents.formats import is_time_zone
from lifecycle.errors import Fault, Invalid
from lifecycle.languages import LANGUAGES
from lifecycle.partnerships import changes
from lifecycle.partnerships.models import contact
from lifecycle.partnerships.people import people_of

DIGESTS = ("weekly", "monthly", "never")
"""How often the digest comes. What an agreement obliges to be told always comes."""


def prefer(
    database: Database,
    partnership_id: str,
    contact_id: str,
    now: datetime,
    *,
    language: str,
    time_zone: str,
    digest: str,
) -> None:
    """Keep what a contact prefers; it is theirs alone to say.

    Raises:
        NotFound: unknown partnership or contact.
        Invalid: there is no such language, time zone or frequency; every fault is named.
    """
    faults = []
    if language not in LANGUAGES:
        faults.append(Fault("/language", "enum", f"Choose one of: {', '.join(LANGUAGES.values())}."))
    if not is_time_zone(time_zone):
        faults.append(Fault("/time_zone", "time-zone", "Choose a time zone such as Europe/London."))
    if digest not in DIGESTS:
        faults.append(Fault("/digest", "enum", f"Choose one of: {', '.join(DIGESTS)}."))
    if faults:
        raise Invalid(faults, "The preferences")
    with database.write() as connection:
        change = changes.begin(connection, partnership_id, now)
        people_of(connection, partnership_id)[partnership_id].get(contact_id)
        where = (contact.c.partnership_id == partnership_id, contact.c.id == contact_id)
        values = {"language": language, "time_zone": time_zone, "digest": digest}
        connection.execute(update(contact).where(*where).values(**values))
        change.log("preferences_set", contact_id)
        changes.write(connection, change)


def unsubscribe(database: Database, partnership_id: str, contact_id: str, now: datetime) -> None:
    """Send a contact no digest any more; whoever gets none already is left alone.

    Raises:
        NotFound: unknown partnership or contact.
    """
    with database.write() as connection:
        change = changes.begin(connection, partnership_id, now)
        if people_of(connection, partnership_id)[partnership_id].get(contact_id).digest == "never":
            return
        where = (contact.c.partnership_id == partnership_id, contact.c.id == contact_id)
        connection.execute(update(contact).where(*where).values(digest="never"))
        change.log("preferences_set", contact_id)
        changes.write(connection, change)
