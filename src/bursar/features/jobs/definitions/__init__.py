"""The definitions that come with Bursar, as data."""
