"""Settings: one class, read from the environment (prefix `LIFECYCLE_`) and from a `.env` file."""

from pathlib import Path
from typing import Literal

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


def load_settings() -> Settings:
    """Read the settings from the environment.

    Raises:
        Invalid: a variable has a value it cannot have; every one is named, none is echoed.
    """
    try:
        return Settings()
    except ValidationError as error:
        faults = [
            Fault(f"LIFECYCLE_{'_'.join(map(str, e['loc'])).upper()}", e["type"], f"{e['msg']}.")
            for e in error.errors()
        ]
        raise Invalid(faults) from None
