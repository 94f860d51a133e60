"""Static files as they are collected: hashed, compressed, the stylesheet in one piece."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from whitenoise.storage import CompressedManifestStaticFilesStorage

STYLESHEET = "tributary.css"
IMPORT = re.compile(r'@import "([^"]+)";\n')


class StaticFiles(CompressedManifestStaticFilesStorage):
    """Puts the parts of the stylesheet in the place of their `@import`: browsers ask once."""

    def post_process(
        self, paths: dict[str, Any], dry_run: bool = False, **options: Any
    ) -> Iterator[Any]:
        if STYLESHEET in paths and not dry_run:
            storage, name = paths[STYLESHEET]
            joined = IMPORT.sub(self._part, Path(storage.path(name)).read_text())
            Path(self.path(STYLESHEET)).write_text(joined)
            paths = {**paths, STYLESHEET: (self, STYLESHEET)}
        yield from super().post_process(paths, dry_run, **options)

    def _part(self, found: re.Match[str]) -> str:
        return Path(self.path(found[1])).read_text()
