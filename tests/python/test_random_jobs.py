"""The parts of scripts/random_jobs that are trusted when a job is judged: the naive matcher, the watermarks, the shrinking."""

import datetime
import pathlib
import random
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "scripts" / "random_jobs"))

import inputs
import jobs
import matcher
import node
import sessions
from matcher import Choice, Repeated, Sequence, Variable
from reference import Reference

A, B = Variable("A"), Variable("B")


def mapped(values, pattern, tests, skip=lambda path: path.next):
    """Returns for each match the place where it begins and the variables of its rows."""
    rows = [{"v": value} for value in values]
    accepts = lambda path: tests[path.names[-1]](path.row()["v"])
    return [(path.start, "".join(path.names)) for path in matcher.matches(rows, pattern, accepts, skip)]


LOW_HIGH = {"A": lambda value: value < 5, "B": lambda value: value > 2}


def test_a_greedy_variable_takes_what_it_can_and_gives_back_what_is_needed():
    assert mapped([1, 3, 4, 9, 1], Sequence((Repeated(A, 1, None), B)), LOW_HIGH) == [(0, "AAAB")]
    assert mapped([1, 3, 4], Sequence((Repeated(A, 1, None), B)), LOW_HIGH) == [(0, "AAB")]


def test_a_reluctant_variable_takes_as_little_as_it_can():
    assert mapped([1, 3, 4, 9], Sequence((Repeated(A, 1, None, greedy=False), B)), LOW_HIGH) == [(0, "AB"), (2, "AB")]


def test_the_first_alternative_that_matches_is_taken():
    assert mapped([3, 3], Choice((Sequence((A, A, A)), B, A)), LOW_HIGH) == [(0, "B"), (1, "B")]


def test_what_prefers_no_row_gives_no_match():
    assert mapped([1, 9, 1], Repeated(A, 0, None, greedy=False), LOW_HIGH) == []
    assert mapped([1, 9, 1], Repeated(A, 0, None), LOW_HIGH) == [(0, "A"), (2, "A")]


def test_matches_overlap_when_the_next_begins_at_the_next_row():
    assert mapped([1, 3, 4], Sequence((A, B)), LOW_HIGH, lambda path: path.start + 1) == [(0, "AB"), (1, "AB")]


def times(*seconds):
    return [["", inputs.BEGIN + datetime.timedelta(seconds=second)] for second in seconds]


def watermarks(watermark, *seconds):
    found = inputs.Inputs({"r": times(*seconds)}, watermark).watermarks("r")
    return [None if time is None else (time - inputs.BEGIN).total_seconds() for time in found]


def test_watermarks_follow_the_rows():
    assert watermarks(("ROWS", 1, 5), 10, 8, 20, 21) == [None, 5, 5, 15]
    assert watermarks(("ROWS", 2, 0), 10, 8, 20, 21) == [None, None, 10, 10]
    assert watermarks(("RANGE", 10, 0), 10, 15, 20, 21) == [None, 10, 10, 20]


def test_a_number_says_which_job():
    texts = [jobs.random_job(random.Random("7/3")).stream_text() for _ in range(2)]
    assert texts[0] == texts[1]
    assert texts[0] != jobs.random_job(random.Random("7/4")).stream_text()


def test_most_jobs_mean_something_to_the_reference():
    engine, understood = Reference(), 0
    for number in range(60):
        try:
            jobs.random_job(random.Random(f"1/{number}")).expected(engine)
            understood += 1
        except jobs.REFUSALS:
            pass
    assert understood > 50


def test_smaller_texts_have_the_kind_of_what_they_replace():
    inner = node.both("INT", "({} + {})", node.leaf("INT", "x"), node.leaf("INT", "y"))
    whole = node.pair("BOOLEAN", "({} IS UNKNOWN)", "({} IS NULL)", node.both("BOOLEAN", "({} = {})", inner, node.leaf("INT", "z")))
    found = {less.stream for less in whole.smaller()}
    assert {"((x + y) = z)", "TRUE", "((x = z) IS UNKNOWN)", "((y = z) IS UNKNOWN)", "((1 = z) IS UNKNOWN)"} <= found
    assert all(less.kind == "BOOLEAN" for less in whole.smaller())
    assert whole.batch == "(((x + y) = z) IS NULL)"


def query_of(item, condition=None):
    where = node.both("WHERE", " WHERE {}", condition) if condition else node.leaf("WHERE", "")
    source = node.leaf("FROM", "(VALUES (1, 'a'), (2, '7'), (3, NULL)) AS v(x, k)")
    return node.Node("QUERY", "SELECT {0} FROM {1}{2}", "SELECT {0} FROM {1}{kept}", (item, source, where), selects=(1, True))


def left_and_failed(query):
    engine = Reference()
    rows = [value for value, in engine.rows(query.batch, [])]
    return rows, engine.count(query.failures())


K_AS_INT = node.failing("INT", "CAST({} AS INT)", "CAST({} AS INT)", node.leaf("STRING", "k"))
SMALL = node.both("BOOLEAN", "({} < 3)", node.leaf("INT", "x"))


def test_rows_on_which_an_expression_fails_are_left_out_and_counted():
    assert left_and_failed(query_of(K_AS_INT)) == ([7, None], 1)
    assert left_and_failed(query_of(node.both("INT", "({} + {})", K_AS_INT, node.leaf("INT", "1")), SMALL)) == ([8], 1)
    assert left_and_failed(query_of(node.leaf("INT", "x"), node.both("BOOLEAN", "({} IS NULL)", K_AS_INT))) == ([3], 1)


def test_what_need_not_be_computed_does_not_fail():
    case = node.lazy("INT", "CASE WHEN {} THEN {} ELSE {} END", SMALL, node.leaf("INT", "x"), K_AS_INT, needed=lambda c, a, b: [
        (None, c), (c.batch, a), (f"({c.batch}) IS NOT TRUE", b)])
    assert left_and_failed(query_of(case)) == ([1, 2, None], 0)


def test_how_many_rows_of_a_changing_result_fail_is_not_determined():
    query = query_of(K_AS_INT)
    query.selects = (1, False)
    with pytest.raises(node.Uncounted):
        query.failures()


def sessions_of(*rows, gap=10):
    """Puts rows, given as second and watermark before them, into sessions: place to second of the start and of the end."""
    at = lambda second: None if second is None else inputs.BEGIN + datetime.timedelta(seconds=second)
    placed = sessions.assign([(place, at(time), at(watermark)) for place, (time, watermark) in enumerate(rows)],
                             datetime.timedelta(seconds=gap))
    return {place: ((start - inputs.BEGIN).total_seconds(), (end - inputs.BEGIN).total_seconds()) for place, start, end in placed}


def test_a_row_exactly_a_gap_later_belongs_to_the_session():
    assert sessions_of((0, None), (10, None), (21, None)) == {0: (0, 20), 1: (0, 20), 2: (21, 31)}


def test_a_row_between_two_sessions_makes_them_one():
    assert sessions_of((0, None), (20, None), (10, None)) == {0: (0, 30), 1: (0, 30), 2: (0, 30)}


def test_a_late_row_belongs_to_a_session_that_is_not_complete():
    # Alone both would be complete at 18; the session of the row at 9 is not.
    assert sessions_of((9, None), (5, 18)) == {0: (5, 19), 1: (5, 19)}
    assert sessions_of((0, None), (5, 18)) == {0: (0, 10)}
