"""Time on air agrees with what real radios take."""

import pytest

from radio.lora import MAX_FRAME_BYTES, PRESETS, Modem, frame_bytes, time_on_air_s, widened

PAYLOADS = (50, 100, 200, 231)
MEASURED_MS = {
    "LONG_FAST": (805, 1174, 1911, 2157),
    "MEDIUM_FAST": (232, 345, 570, 642),
    "SHORT_FAST": (71, 107, 181, 204),
}


@pytest.mark.parametrize("preset", MEASURED_MS)
def test_time_on_air_is_what_the_firmware_measured(preset):
    for payload_bytes, measured_ms in zip(PAYLOADS, MEASURED_MS[preset], strict=True):
        assert abs(1000 * time_on_air_s(payload_bytes, PRESETS[preset]) - measured_ms) < 3


def test_low_data_rate_presets_take_their_extra_symbols():
    for payload_bytes, measured_s in zip(PAYLOADS, (4.9, 7.5, 12.7, 14.3), strict=True):
        assert abs(time_on_air_s(payload_bytes, PRESETS["LONG_SLOW"]) - measured_s) < 0.06


def test_the_largest_payload_fills_the_frame_exactly():
    assert frame_bytes(231) == MAX_FRAME_BYTES
    assert frame_bytes(1, portnum=1) == 16 + 2 + 3 + 2


def test_a_signing_firmware_adds_66_bytes_where_they_still_fit():
    assert frame_bytes(165, signs=True) == frame_bytes(165) + 66 == MAX_FRAME_BYTES
    assert frame_bytes(166, signs=True) == frame_bytes(166)


def test_more_bytes_never_take_less_time_on_any_preset():
    for modem in PRESETS.values():
        times = [time_on_air_s(size, modem) for size in range(232)]
        assert times == sorted(times)


def test_a_wide_radio_is_three_and_a_quarter_times_faster():
    assert widened(PRESETS["LONG_FAST"]) == Modem(11, 812_500, 5, 12)
    assert time_on_air_s(231, widened(PRESETS["LONG_FAST"])) < time_on_air_s(231) / 3.25


def test_a_slot_on_long_fast_is_28_milliseconds():
    assert abs(PRESETS["LONG_FAST"].slot_s - 0.02808) < 1e-5
