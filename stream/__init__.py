"""The engine of the engagement stream: events fold into additive counters, counters become numbers.

Its core does no I/O and is told the time: `fold` applies a batch to a `shard` (`people`,
`activity`, `visits`, `customers`, `counters`, `dedupe`, `clock`), `cut` freezes what changed,
`board` merges the counts of all shards, `metrics/` holds the formulas, `emission` decides which
records are due. Around it is the shell: `settings`; `transport` and `fetch` (Kafka through Faust);
`owner` (claims, cuts, starting over); `store` and `published` (all of Redis; its keys are in
`keys`); `publishing`, `snapshot`, `exporter`, `telemetry` and `web`. `report` runs the core over
files, `traffic` simulates visitors, and `embedded` starts servers for a demonstration. Of the
project it imports only `schemas`.
"""
