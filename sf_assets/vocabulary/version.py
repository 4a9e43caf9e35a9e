"""The version of the code, as the installed package says it."""

from importlib.metadata import version

VERSION = version("sf-assets")
