"""The contract of the engagement stream: what comes in, what goes out, and what is refused.

`envelope` holds what every event carries and `events` one struct for each event type; `codec` turns
the bytes of a Kafka record into one of them or says why not, with the reasons of `rejection`;
`outputs` holds what is published (metric records) and what is put aside (ledger entries);
`generate` writes the JSON Schemas in `json/` from those structs; `examples/` holds valid and
invalid events as bytes. Nothing here knows of Kafka, Redis or Faust, and nothing but the standard
library and msgspec is imported.
"""
