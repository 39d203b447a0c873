"""What a conversion assumed and what it left out: nothing is lost without a line about it."""

from collections import Counter


class ConvertNotes:
    """Collects remarks while a source is read and a target written.

    Attributes:
        assumed: decisions that the source left open, in order.
        dropped: number of things that were left out, by what they are and why.
        image_root: folder that `file_names` of the result are relative to, None where it is not known.
    """

    def __init__(self) -> None:
        self.assumed: list[str] = []
        self.dropped: Counter[str] = Counter()
        self.image_root: str | None = None

    def assume(self, text: str) -> None:
        """Enters a decision, once."""
        if text not in self.assumed:
            self.assumed.append(text)

    def drop(self, what: str, count: int = 1) -> None:
        """Counts things that were left out.

        Args:
            what: what they are and why, in the plural.
            count: how many; 0 enters nothing.
        """
        if count:
            self.dropped[what] += count

    def lines(self) -> list[str]:
        """The remarks as text."""
        lines = [f"note: {text}" for text in self.assumed]
        return lines + [f"left out: {count} {what}" for what, count in self.dropped.items()]
