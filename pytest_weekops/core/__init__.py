"""Pure parts: records, schedule, statistics, policy and the judge. No I/O, no clock, no environment, no driver."""
