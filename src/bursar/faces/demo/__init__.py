"""The demo: the main job on real input, every claim checked; it speaks through the client and the command line only."""

from bursar.faces.demo.play import demo

__all__ = ["demo"]
