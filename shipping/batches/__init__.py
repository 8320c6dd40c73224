"""A file of tracking numbers: read, rehearsed, mended, queued, followed. No step here calls WeChat."""
