"""The fixtures of the commands' tests, for those of the scripts in tools/repository."""

from tests.cli.conftest import Refused, Tool, photos, prepared, refused, tool

__all__ = ["Refused", "Tool", "photos", "prepared", "refused", "tool"]
