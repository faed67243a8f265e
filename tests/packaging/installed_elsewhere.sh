#!/usr/bin/env bash
# Installs the built wheel into an environment of its own, far from the checkout, and uses it there.
set -euo pipefail
checkout=$(cd "$(dirname "$0")/../.." && pwd)
elsewhere=$(mktemp -d)
trap 'rm -rf "$elsewhere"' EXIT
"$checkout/.venv/bin/uv" venv --quiet --python "$checkout/.venv/bin/python" "$elsewhere/venv"
# The locked versions, so that this proves our wheel and not today's index.
(cd "$checkout" && .venv/bin/uv export --frozen --quiet --no-dev --no-emit-project --no-hashes) >"$elsewhere/requirements.txt"
"$checkout/.venv/bin/uv" pip install --quiet --python "$elsewhere/venv/bin/python" -r "$elsewhere/requirements.txt" "$checkout"/dist/*.whl
cd "$elsewhere"
export LIFECYCLE_DATABASE_URL=sqlite:///$elsewhere/there.db LIFECYCLE_MAILBOX=$elsewhere/mailbox
venv/bin/lifecycle init-db
venv/bin/python - <<'PY'
import importlib.resources, pathlib, lifecycle, flows
from lifecycle.documents.rules import load_schema
root = pathlib.Path(lifecycle.__file__).parent
assert "site-packages" in str(root), root
for kind in ("need_assessment", "convening", "agreement", "review_response", "evaluation", "exit_plan", "decision_record"):
    assert load_schema(kind)["title"], kind
for part in ("notices/templates", "migrations/versions", "examples", "prefect.yaml", "portal/templates", "portal/static"):
    assert (root / part).exists(), part
from lifecycle import languages
assert languages.of("es").gettext("Sign out") == "Cerrar sesión"
PY
venv/bin/lifecycle import "$(venv/bin/python -c 'import lifecycle.examples, pathlib; print(pathlib.Path(lifecycle.examples.__file__).parent)')"/*/partnership.yaml
venv/bin/lifecycle list
venv/bin/lifecycle diagram | head -3
echo "The wheel works when installed elsewhere."
