"""Texts, and which of them hold which word."""

import json

import editdistance
import lz4.frame
import regex
import zstd
from pyroaring import BitMap

WORD = regex.compile(r"\p{L}[\p{L}\p{M}\p{N}'’]*")


class Store:
    def __init__(self):
        self._texts = []
        self._holders = {}

    def __len__(self):
        return len(self._texts)

    def add(self, text):
        """Keeps a text and returns its number."""
        number = len(self._texts)
        self._texts.append(zstd.compress(text.encode()))
        for word in set(words(text)):
            self._holders.setdefault(word, BitMap()).add(number)
        return number

    def text(self, number):
        """The text of that number; raises IndexError where there is none."""
        if number < 0:
            raise IndexError(number)
        return zstd.decompress(self._texts[number]).decode()

    def find(self, query):
        """Numbers of the texts that hold every word of the query, oldest first."""
        holders = [self._holders.get(word, BitMap()) for word in words(query)]
        return list(BitMap.intersection(*holders)) if holders else []

    def nearest(self, word, limit=2):
        """The known word that is the fewest edits away, or None where all are further than the limit."""
        distance, near = min(((editdistance.eval(word.lower(), known), known) for known in self._holders), default=(limit + 1, None))
        return near if distance <= limit else None

    def snapshot(self):
        """All texts as bytes that `restore` reads."""
        return lz4.frame.compress(json.dumps([self.text(number) for number in range(len(self))]).encode())

    @classmethod
    def restore(cls, snapshot):
        store = cls()
        for text in json.loads(lz4.frame.decompress(snapshot)):
            store.add(text)
        return store


def words(text):
    return [word.lower() for word in WORD.findall(text)]
