"""The error that every broken data set ends in."""


class DatasetError(ValueError):
    """A data set cannot be used: the message names the file, the place in it, the value seen and the remedy.

    It takes one string, so that a loader's worker process can hand it on to the parent.
    """
