"""Themes: readable contrast, venue colours, price colours, fixed-width digits."""

import itertools

import pytest
from PySide6.QtGui import QColor, QFontMetricsF
from PySide6.QtWidgets import QApplication

from monitor.widgets.theme import DARK, LIGHT, PriceColors, Theme, apply_theme


def luminance(color: str) -> float:
    """Relative luminance of WCAG 2.1."""
    rgb = QColor(color)
    red, green, blue = (
        c / 12.92 if c <= 0.04045 else float(((c + 0.055) / 1.055) ** 2.4)
        for c in (rgb.redF(), rgb.greenF(), rgb.blueF())
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(a: str, b: str) -> float:
    """Contrast ratio of WCAG 2.1, 1 to 21."""
    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


TEXT_FIELDS = ("text", "text_muted", "accent", "up", "down", "warn", "error", "ok", "safe_up", "safe_down")
GROUND_FIELDS = ("background", "panel", "raised", "selection")


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda theme: str(theme.name))
def test_text_colors_are_readable_on_every_ground(theme: Theme) -> None:
    colors = [getattr(theme, name) for name in TEXT_FIELDS] + list(theme.venue_cycle)
    grounds = [getattr(theme, name) for name in GROUND_FIELDS]

    bad = [(c, g, round(contrast(c, g), 2)) for c, g in itertools.product(colors, grounds) if contrast(c, g) < 4.5]

    assert bad == []
    assert contrast(theme.on_accent, theme.accent) >= 4.5
    assert contrast(theme.on_accent, theme.warn) >= 4.5


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda theme: str(theme.name))
def test_marks_and_waterfall_parts_stand_out_from_the_panel(theme: Theme) -> None:
    """3:1 is what WCAG asks of graphics; the queue and unaccounted parts are quiet on purpose, yet visible."""
    for name in ("cold", "warm", "failed"):
        assert contrast(getattr(theme, name), theme.panel) >= 3.0, name
    for phase, color in theme.phases.items():
        assert contrast(color, theme.panel) >= 2.2, phase
    assert len(set(theme.phases.values())) == 9


def test_venues_get_different_colors_in_order() -> None:
    theme = DARK.for_venues(["first", "second"])

    assert theme.venue_color("first") != theme.venue_color("second")
    assert theme.venue_color("never seen") == theme.venue_color("never seen")


def test_price_colors_can_be_swapped_or_made_safe() -> None:
    assert DARK.with_price_colors(PriceColors.RED_UP).up == DARK.down
    assert DARK.with_price_colors(PriceColors.COLOR_SAFE).up not in (DARK.up, DARK.down)
    assert DARK.with_price_colors(PriceColors.GREEN_UP) == DARK


def test_unknown_change_is_muted_and_zero_is_plain() -> None:
    assert DARK.change_color(None) == DARK.text_muted
    assert DARK.change_color(0.0) == DARK.text
    assert DARK.change_color(-0.1) == DARK.down


def test_digits_have_one_width(qapp: QApplication) -> None:
    apply_theme(qapp, DARK)

    metrics = QFontMetricsF(qapp.font())

    assert len({round(metrics.horizontalAdvance(digit), 3) for digit in "0123456789"}) == 1
