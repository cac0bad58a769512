"""Units as devices write them are converted exactly, and unknown ones are refused."""

from math import isfinite

import pytest
from hypothesis import given
from hypothesis import strategies as st

from treegarth.dicom.units import NotANumber, UnknownUnit, convert


@pytest.mark.parametrize(
    ("number", "unit", "wanted", "expected"),
    [
        ("0.0000107", "Gy.m2", "Gy.m2", 0.0000107),
        ("1.6e-005", "Gym2", "Gy.m2", 0.000016),
        ("0.2359", "Gy.cm^2", "Gy.m2", 0.00002359),
        ("0.472", "dGy.cm2", "Gy.m2", 0.00000472),
        ("1", "uGym2", "Gy.m2", 0.000001),
        ("724.52", "mGycm", "mGy.cm", 724.52),
        ("2.52", "mGy", "Gy", 0.00252),
        ("1", "mAs", "uA.s", 1000.0),
        ("9586", "uAs", "uA.s", 9586.0),
        ("100.8", "ms", "s", 0.1008),
        ("0.5", "min", "s", 30.0),
        ("394000000", "Bq", "MBq", 394.0),
        ("10", "mCi", "MBq", 370.0),
        ("4", "{events}", "1", 4.0),
        ("2", "X-ray sources", "1", 2.0),
        ("7.5", "pulse/s", "1/s", 7.5),
        ("7.5", "{pulse}/s", "1/s", 7.5),
        ("1.78", "m", "cm", 178.0),
        ("3", "mGy/mA.s", "mGy/mA.s", 3.0),
        ("14", "mSv/mGy.cm", "uSv/mGy.cm", 14000.0),
        (" 12. ", "kVp", "kV", 12.0),
        ("724.52", "mGy cm", "mGy.cm", 724.52),
        ("724.52", "mGy-cm", "mGy.cm", 724.52),
        ("724.52", "mGy*cm", "mGy.cm", 724.52),
        ("724.52", "mGy × cm", "mGy.cm", 724.52),
        ("0.2359", "Gycm2", "Gy.m2", 0.00002359),
        ("0.2359", "Gy·cm²", "Gy.m2", 0.00002359),
        ("0.2359", "Gy cm²", "Gy.m2", 0.00002359),
        ("0.2359", "Gy⋅cm2", "Gy.m2", 0.00002359),
        ("23.59", "µGy·m²", "Gy.m2", 0.00002359),
        ("23.59", "μGym²", "Gy.m2", 0.00002359),
        ("100.8", "msec", "s", 0.1008),
        ("350", "µsec", "ms", 0.35),
        ("2", "sec", "s", 2.0),
        ("7.5", "pulses/sec", "1/s", 7.5),
        ("7.5", "s-1", "1/s", 7.5),
        ("-30", "degree", "deg", -30.0),
        ("-30", "degrees", "deg", -30.0),
        ("-30", "deg", "deg", -30.0),
        ("2", "X-ray sources/sec", "1/s", 2.0),
    ],
)
def test_a_number_is_converted_from_its_coded_unit(number, unit, wanted, expected):
    assert convert(number, unit, wanted) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("unit", "wanted"),
    [
        *(
            ("furlong", "mm"),
            ("", "mGy"),
            ("mGy", "mSv"),
            ("mGy", "mGy.cm"),
            ("Gyx", "Gy"),
            ("m99", "m"),
            ("{x}", "mGy"),
        ),
        *(("mGy--cm", "mGy.cm"), ("-cm", "cm"), ("mGy per cm", "mGy/cm"), ("mm Hg", "Pa"), ("mGy,cm", "mGy.cm")),
    ],
)
def test_a_unit_that_is_unknown_or_of_another_dimension_is_refused(unit, wanted):
    with pytest.raises(UnknownUnit):
        convert("1", unit, wanted)


@pytest.mark.parametrize("text", ["", "nan", "inf", "1e999", "0.3/0.5", "1,5", "1_000", "0x10", "12 mm", "１２"])
def test_text_that_is_no_decimal_number_is_refused(text):
    with pytest.raises(NotANumber):
        convert(text, "mGy", "mGy")


def test_a_number_that_overflows_by_conversion_is_refused():
    with pytest.raises(NotANumber):
        convert("1e307", "Gy", "uGy")


@pytest.mark.parametrize(("text", "unit"), [("1e-400", "Gy"), ("-1e-9999", "Gy"), ("5e-324", "nGy"), ("1e-320", "uGy")])
def test_a_number_that_would_become_0_is_refused(text, unit):
    with pytest.raises(NotANumber, match="too small"):
        convert(text, unit, "Gy")


@pytest.mark.parametrize("text", ["0", "-0.0", "0e-400", "0E+400", "00000.0", "1e-320", "5e-324", "1.7976931348e308"])
def test_what_a_float_holds_is_kept(text):
    assert convert(text, "Gy", "Gy") == float(text)


@given(st.from_regex(r"[+-]?[0-9]{1,5}(\.[0-9]{0,5})?([eE][+-]?[0-9]{1,12})?", fullmatch=True))
def test_any_decimal_number_is_kept_or_refused(text):
    for unit in ("mGy", "nGy", "GGy"):
        try:
            kept = convert(text, unit, "mGy")
        except NotANumber:
            continue
        assert isfinite(kept)
        assert (kept == 0) == (not any(figure in "123456789" for figure in text.lower().partition("e")[0]))
