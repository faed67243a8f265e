from datetime import UTC, datetime
from tests.api.clients import Clients
from tests.builders import registered

def test_smoke(api: Clients) -> None:
    registered(api.database, datetime.now(UTC))
    owner = api.of("owner")
    for path in ("", "/harbour", "/harbour/events", "/harbour/dossier", "/harbour/documents", "/harbour/signoffs", "/harbour/gates/confirm_need","/harbour/transitions","/harbour/obligations","/harbour/performances","/harbour/complaints","/harbour/reviews","/harbour/actions","/harbour/indicators"):
        r = owner.get("/partnerships"+path)
        print(path, r.status_code, r.text[:300])
        assert r.status_code == 200, path
    s = api.speaking_for("clinic-primary")
    for wait in ("", "wait=5"):
        r = s.post("/partnerships/harbour/transitions", {"event": "confirm_need"}, prefer=wait, Idempotency_Key="k"+wait)
        print(r.status_code, r.headers, r.text[:400])
        r = s.get("/transitions/" + r.headers["Location"].rpartition("/")[2])
        print(r.status_code, r.text[:200])
    for p in ("/healthz", "/readyz"):
        print(api.nobody.get(p).text)
    print(api.of("administrator").get("/metrics").text[-900:])
    r = s.post("/partnerships/harbour/calendar-links")
    print(r.text)
    print(api.http.get(r.json()["url"].partition("8080")[2]).text)
