"""The error that a command answers with one line."""

__all__ = ["CommandError"]


class CommandError(Exception):
    """What cannot be done, as the user reads it, and the exit status."""

    def __init__(self, message: str, status: int = 1) -> None:
        super().__init__(message)
        self.status = status
