"""The grammar and the library written in the language itself, as package data."""
