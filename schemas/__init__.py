"""Contract of the engagement stream: the events it reads, the records it publishes, and the rejections.

`envelope` holds the fields of every event. `events/` holds one struct for each event type, with its
row of the table of event types. `codec` turns the bytes of a Kafka record into an event, or into a
rejection with a reason of `rejection`. `outputs` holds the published records, `dead_letter` builds
those of events that were not counted. `generate` writes what derives from the structs: the JSON
Schemas in `json/`, the tables of README.md, and an example for each new event type. Only the standard
library and msgspec are imported here.
"""
