"""The stored form of people, not compiled: msgspec builds its structs."""
