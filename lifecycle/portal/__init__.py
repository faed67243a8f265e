"""The portal: the pages behind the links in emails, and the pages that managers keep open."""
