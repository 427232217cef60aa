"""Sessions of rows that may be late: which rows belong together depends on when they were read, so no query says it.

A query holds a mark in the place of such sessions. Before it is run, the rows inside the mark are computed, put into sessions one
after the other, and stored in a table.
"""

import datetime
import re

MARK = re.compile(r"<<(\d+) (\d+) (\w+)<<((?:(?!<<|>>).)*)>>", re.S)


def marked(query, seconds, keys, time):
    """Writes the mark: rows of `query` with their sessions. Its first keys are `w_key0` and so on, its arrival `w_rid`."""
    return f"SELECT * FROM <<{seconds} {keys} {time}<<{query}>>"


def resolved(connection, query, prefix):
    """Replaces the marks of a query by tables whose names begin with `prefix`, innermost first."""
    number = 0
    while found := MARK.search(query):
        seconds, keys, time, inner = found.groups()
        table = f"{prefix}_{number}"
        number += 1
        store(connection, table, inner, int(seconds), int(keys), time)
        query = query[:found.start()] + table + query[found.end():]
    return query


def store(connection, table, inner, seconds, keys, time):
    # Rows of two streams may have the same place, each in its own.
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE rows_{table} AS SELECT *, row_number() OVER (ORDER BY w_rid) AS w_place FROM ({inner})")
    names = ", ".join(f"w_key{place}" for place in range(keys))
    rows = connection.execute(
        f"SELECT w_place, {time}, wm{', ' + names if names else ''} FROM rows_{table} ORDER BY w_place").fetchall()
    placed = assign(rows, datetime.timedelta(seconds=seconds))
    connection.execute(f"CREATE OR REPLACE TEMP TABLE places_{table} (p_place INTEGER, w_start TIMESTAMP, w_end TIMESTAMP)")
    if placed:
        values = ", ".join(f"({place}, '{start}', '{end}')" for place, start, end in placed)
        connection.execute(f"INSERT INTO places_{table} VALUES {values}")
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {table} AS SELECT r.*, p.w_start, p.w_end "
        f"FROM rows_{table} AS r JOIN places_{table} AS p ON r.w_place = p.p_place")


def assign(rows, gap):
    """Puts rows, given as place, time, watermark before it and keys, into sessions. Returns place, start and end of those on time."""
    millisecond = datetime.timedelta(milliseconds=1)
    sessions = {}
    for place, time, watermark, *key in rows:
        of_key = sessions.setdefault(repr(key), [])
        is_past = lambda last: watermark is not None and last + gap - millisecond <= watermark
        open_ones = [session for session in of_key if not is_past(session["last"])]
        touched = [session for session in open_ones if session["start"] - gap <= time <= session["last"] + gap]
        if not touched and is_past(time):
            continue
        merged = {"start": time, "last": time, "places": [place]}
        for session in touched:
            of_key.remove(session)
            merged["start"] = min(merged["start"], session["start"])
            merged["last"] = max(merged["last"], session["last"])
            merged["places"] += session["places"]
        of_key.append(merged)
    return [(place, session["start"], session["last"] + gap)
            for of_key in sessions.values() for session in of_key for place in session["places"]]
