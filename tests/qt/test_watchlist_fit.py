"""Figures of the watchlist shrink to fit their column, so that a price never loses its last digits."""

import pytest
from PySide6.QtGui import QFont, QFontMetrics

from monitor.widgets.watchlist_delegate import LEAST_FIT, fitting_font


@pytest.mark.usefixtures("qapp")
def test_a_long_price_gets_a_smaller_font_that_fits() -> None:
    font = QFont("sans", 10)
    width_px = QFontMetrics(font).horizontalAdvance("000,000.0")
    long = "0.004754212"
    assert QFontMetrics(font).horizontalAdvance(long) > width_px

    fitted = fitting_font(font, long, width_px)

    assert QFontMetrics(fitted).horizontalAdvance(long) <= width_px
    assert LEAST_FIT * font.pointSizeF() <= fitted.pointSizeF() < font.pointSizeF()


@pytest.mark.usefixtures("qapp")
def test_a_figure_that_fits_keeps_its_font() -> None:
    font = QFont("sans", 10)
    assert fitting_font(font, "1.1687", QFontMetrics(font).horizontalAdvance("1.1687")) is font


@pytest.mark.usefixtures("qapp")
def test_no_font_shrinks_below_what_can_be_read() -> None:
    fitted = fitting_font(QFont("sans", 10), "0" * 60, 40)
    assert fitted.pointSizeF() == pytest.approx(10 * LEAST_FIT)
