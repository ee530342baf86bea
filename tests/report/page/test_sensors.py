"""What a GPU's sensors told, in the line below a cell."""

from __future__ import annotations

from pytest_weekops.core.measurement.device_condition import DeviceCondition
from pytest_weekops.report.page.sensors import sensors_line


def test_all_that_sensors_tell() -> None:
    """The bounds over all measurements, and how often what slowed the device."""
    seen = [
        DeviceCondition(
            looks=9,
            least_clock_mhz=1410,
            most_clock_mhz=1980,
            most_temperature_c=71,
            slowed_by=("heat", "power"),
            processes=1,
        ),
        DeviceCondition(
            looks=9, least_clock_mhz=1700, most_clock_mhz=1980, most_temperature_c=83, slowed_by=("power",), processes=2
        ),
        DeviceCondition(looks=1),
    ]
    assert sensors_line(seen) == (
        "The device's sensors: clock 1410 to 1980 MHz; at most 83 °C; slowed by heat in 1 of 2 measurements, slowed by "
        "power in 2 of 2 measurements; at most 2 processes at once."
    )


def test_what_sensors_do_not_tell_is_not_made_up() -> None:
    """Without sensors no line; with some that are silent, that; and nothing that slows is said where it was asked."""
    assert sensors_line([]) == ""
    assert sensors_line([DeviceCondition(looks=2)]) == "The device's sensors: they tell nothing."
    assert (
        sensors_line([DeviceCondition(looks=2, slowed_by=())])
        == "The device's sensors: slowed by nothing that it tells."
    )
