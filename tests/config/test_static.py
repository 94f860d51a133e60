"""The stylesheet is written in parts, and served in one piece."""

from pathlib import Path

from django.contrib.staticfiles.storage import StaticFilesStorage

from config.environment import BASE_DIR
from config.static import STYLESHEET, StaticFiles


def test_the_stylesheet_is_collected_with_all_its_parts(tmp_path: Path) -> None:
    source = StaticFilesStorage(location=BASE_DIR / "static", base_url="/static/")
    parts = [f"css/{path.name}" for path in (BASE_DIR / "static/css").iterdir()]
    collected = StaticFiles(location=tmp_path, base_url="/static/")
    for name in (STYLESHEET, *parts):
        with source.open(name) as file:
            collected.save(name, file)

    list(collected.post_process({name: (source, name) for name in (STYLESHEET, *parts)}))

    served = (tmp_path / collected.stored_name(STYLESHEET)).read_text()
    assert "@import" not in served
    assert all((BASE_DIR / "static" / part).read_text() in served for part in parts)
