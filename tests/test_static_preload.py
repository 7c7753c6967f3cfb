"""Pages preload the modules that their scripts import: `imported_modules` lists them."""

from portal.static_modules import imported_modules


def test_all_modules_of_a_script_are_named() -> None:
    assert imported_modules("archive/core/announce.js") == ()
    assert set(imported_modules("portal/player/transcription-panel.js")) == {"archive/core/dom.js"}
    assert {"archive/player/player.js", "archive/player/waveform.js", "archive/core/translate.js"} <= set(
        imported_modules("portal/player/space-page.js")
    )


def test_what_is_loaded_when_it_is_needed_is_not_named() -> None:
    modules = imported_modules("portal/core/site.js")

    assert "archive/core/clock.js" in modules
    assert "portal/core/row-download.js" not in modules
