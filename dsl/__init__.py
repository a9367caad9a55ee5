"""The language: text to a checked graph. Nothing here knows of derivatives or Python."""
