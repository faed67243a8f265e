"""`python -m lifecycle.cli` is `lifecycle`."""

import sys

from lifecycle.cli import main

sys.exit(main())
