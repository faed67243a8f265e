"""Settings: one class, read from the environment (prefix `LIFECYCLE_`) and from a `.env` file."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from lifecycle.errors import Fault, Invalid


class Settings(BaseSettings):
    """How this installation runs. Every field is an environment variable, e.g. `LIFECYCLE_DATABASE_URL`."""

    model_config = SettingsConfigDict(env_prefix="LIFECYCLE_", env_file=".env", extra="ignore", frozen=True)

    database_url: SecretStr = SecretStr("sqlite:///lifecycle.db")
    """SQLAlchemy URL; `sqlite:///FILE` or `postgresql://USER:PASSWORD@HOST/NAME`."""
    public_url: str = "http://127.0.0.1:8080"
    """Where people reach this installation; used in emails."""
    secret_key: SecretStr | None = None
    """Signs links. Needed as soon as links leave the installation."""
    mail_transport: Literal["file", "sendgrid", "smtp"] = "file"
    """How notices leave: `.eml` files in a folder, Twilio SendGrid, or an SMTP server."""
    mail_from: str = "Partnership Lifecycle <lifecycle@partnerships.example>"
    """The sender, as `Name <address>`."""
    mailbox: Path = Path("mailbox")
    """The folder of the `file` transport."""
    sendgrid_api_key: SecretStr | None = None
    """Needed by the `sendgrid` transport; a key with the Mail Send permission only."""
    sendgrid_host: str = "https://api.sendgrid.com"
    """`https://api.eu.sendgrid.com` for EU data residency."""
    sendgrid_webhook_public_key: SecretStr | None = None
    """Verifies SendGrid's delivery events: base64 or PEM; several are separated by commas."""
    smtp_url: SecretStr | None = None
    """Needed by the `smtp` transport, e.g. `smtps://user:password@mail.example:465`."""
    embedded: bool = False
    """Whether this is a trial installation on one machine, as `lifecycle up` sets it: with the `file` transport, its
    emails are shown at `/mailbox`, to this machine alone."""
    oidc_issuer: str = ""
    """The OpenID Connect provider that people may sign in with, e.g. `https://login.organisation.example`."""
    oidc_client_id: str = ""
    """As which client we are registered there."""
    oidc_client_secret: SecretStr | None = None
    """The client's secret there."""
    oidc_name: str = ""
    """What the provider is called, for the button `Sign in with …`."""
    webhook_private_targets: bool = False
    """Whether events may be sent by plain HTTP and into private networks: only where nobody but operators subscribes."""
    time_zone: str = "UTC"
    """The time zone of a new partnership that names none."""
    holidays: str = ""
    """The holiday calendar of a new partnership that names none, e.g. `GB-SCT`, `NL`; empty: weekends only."""

    @field_validator("database_url")
    @classmethod
    def _use_psycopg(cls, value: SecretStr) -> SecretStr:
        """`postgresql://` and `postgres://` mean psycopg 3, the driver that is installed."""
        scheme, separator, rest = value.get_secret_value().partition("://")
        if scheme in {"postgres", "postgresql"}:
            scheme = "postgresql+psycopg"
        return SecretStr(f"{scheme}{separator}{rest}")

    @property
    def secure(self) -> bool:
        """Whether people reach this installation by HTTPS alone."""
        return self.public_url.lower().startswith("https://")

    @property
    def oidc(self) -> bool:
        """Whether people may sign in with an OpenID Connect provider."""
        return bool(self.oidc_issuer)


def load_settings() -> Settings:
    """Read the settings from the environment.

    Raises:
        Invalid: a variable has a value it cannot have, or lacks another that it needs; every one is named, none is echoed.
    """
    try:
        settings = Settings()
    except ValidationError as error:
        faults = [
            Fault(f"LIFECYCLE_{'_'.join(map(str, e['loc'])).upper()}", e["type"], f"{e['msg']}.")
            for e in error.errors()
        ]
        raise Invalid(faults) from None
    if faults := list(_faults_of_oidc(settings)):
        raise Invalid(faults, "The settings of OpenID Connect")
    return settings


def _faults_of_oidc(settings: Settings) -> Iterator[Fault]:
    """All of it or nothing; and what it cannot do without."""
    secret = settings.oidc_client_secret
    parts = {
        "LIFECYCLE_OIDC_ISSUER": settings.oidc_issuer,
        "LIFECYCLE_OIDC_CLIENT_ID": settings.oidc_client_id,
        "LIFECYCLE_OIDC_CLIENT_SECRET": secret.get_secret_value() if secret else "",
    }
    if not any(parts.values()):
        return
    for name, value in parts.items():
        if not value:
            mend = f"Set it too, or none of {', '.join(parts)}."
            yield Fault(name, "required", mend)
    if settings.oidc_issuer and not _trustworthy(settings.oidc_issuer):
        mend = "Write it as https://login.organisation.example, exactly as the provider calls itself."
        yield Fault("LIFECYCLE_OIDC_ISSUER", "url", mend)
    if settings.secret_key is None:
        mend = "Set it: what is remembered on the way to the provider and back is signed with it."
        yield Fault("LIFECYCLE_SECRET_KEY", "required", mend)


def _trustworthy(issuer: str) -> bool:
    """Whether nobody on the way can speak in its name: HTTPS, or this machine."""
    try:
        url = urlsplit(issuer)
    except ValueError:
        return False
    local = url.scheme == "http" and url.hostname in {"127.0.0.1", "::1", "localhost"}
    return bool(url.hostname) and (url.scheme == "https" or local) and not url.query and not url.fragment
