#!/usr/bin/env python3
"""Makes person.csv, auction.csv and bid.csv: a hundred seconds of a small auction house, the same at every run.

Every time is different and at most two seconds out of order; prices are round numbers with some ties, so that ties are seen.
"""

import datetime
import pathlib
import random

HERE = pathlib.Path(__file__).resolve().parent
START = datetime.datetime(2024, 3, 15, 12, 0, 0)
STATES = ["OR", "ID", "CA", "WA", "AZ"]
CHANNELS = ["Google", "Facebook", "Baidu", "Apple", "channel-7"]


def at(milliseconds):
    return (START + datetime.timedelta(milliseconds=milliseconds)).isoformat(sep=" ", timespec="milliseconds")


def times(source, count, unit):
    """Returns `count` different times over the hundred seconds, nearly in order; `unit` keeps the streams apart."""
    step = 100_000 // count
    return [place * step + source.randrange(0, 2_000) // 10 * 10 + unit for place in range(count)]


def write(name, rows):
    (HERE / name).write_text("".join(",".join(map(str, row)) + "\n" for row in rows))


def main():
    source = random.Random(20240315)
    people = [
        (1000 + n, f"person {n}", f"p{n}@example.org", f"{n:04d}", f"town {n % 4}", source.choice(STATES), at(time), "x")
        for n, time in enumerate(times(source, 12, 1))
    ]
    auctions = []
    for n, time in enumerate(times(source, 30, 2)):
        seller = 1000 + source.randrange(min(12, 1 + n // 2))
        expires = at(time + source.randrange(5_000, 40_000))
        auctions.append((2000 + n, f"item {n}", "a thing", 10, 20, at(time), expires, seller, 10 + n % 4, "y"))
    bids = []
    for n, time in enumerate(times(source, 240, 3)):
        auction = 2000 + source.randrange(max(1, n // 10), min(30, n // 8 + 2))
        channel = source.choice(CHANNELS)
        url = f"https://example.org/{source.choice('abc')}/{source.choice('de')}/item.htm?n={n % 5}"
        price = source.randrange(1, 60) * 50
        bids.append((auction, 1000 + source.randrange(12), price, channel, url, at(time), "c" * (n % 4) + "z"))
    write("person.csv", people)
    write("auction.csv", auctions)
    write("bid.csv", bids)


if __name__ == "__main__":
    main()
