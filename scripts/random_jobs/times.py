"""Random expressions of time."""

from node import both, pair

UNITS = ["SECOND", "MINUTE", "HOUR", "DAY"]
# Intervals as Stream SQL, and as DuckDB SQL.
INTERVALS = [
    ("INTERVAL '1 02:03:04.5' DAY TO SECOND", "INTERVAL '1 day 2 hours 3 minutes 4.5 seconds'"),
    ("INTERVAL '2:30' HOUR TO MINUTE", "INTERVAL '2 hours 30 minutes'"), ("INTERVAL 90 SECOND", "INTERVAL 90 SECOND"),
    ("INTERVAL '1-2' YEAR TO MONTH", "INTERVAL '14 months'"), ("INTERVAL '5' MONTH", "INTERVAL '5 months'"),
    ("INTERVAL '250' MILLISECOND", "INTERVAL '250 milliseconds'"), ("INTERVAL '1' YEAR", "INTERVAL '1 year'"),
]


class Times:
    def make_timestamp(self, depth):
        if depth == 0:
            return self.leaf("TIMESTAMP")
        a = self.of("TIMESTAMP", depth - 1)
        unit, count = self.rng.choice(UNITS), self.rng.randint(1, 90)
        interval, of_batch = self.rng.choice(INTERVALS)
        sign = self.rng.choice(["+", "-"])
        return self.rng.choice(self.general("TIMESTAMP", depth) + [
            lambda: both("TIMESTAMP", f"({{}} + INTERVAL '{count}' {unit})", a),
            lambda: both("TIMESTAMP", f"({{}} - INTERVAL '{count}' {unit})", a),
            lambda: both("TIMESTAMP", f"(INTERVAL '{count}' {unit} + {{}})", a),
            lambda: pair("TIMESTAMP", f"({{}} {sign} {interval})", f"({{}} {sign} {of_batch})", a),
            lambda: pair("TIMESTAMP", f"FLOOR({{}} TO {unit})", f"CAST(date_trunc('{unit}', {{}}) AS TIMESTAMP)", a),
            lambda: pair("TIMESTAMP", "FLOOR({} TO MONTH)", "CAST(date_trunc('month', {}) AS TIMESTAMP)", a),
            lambda: pair("TIMESTAMP", f"CEIL({{}} TO {unit})",
                         f"CAST(date_trunc('{unit}', {{}} + INTERVAL 1 {unit} - INTERVAL 1 MILLISECOND) AS TIMESTAMP)", a),
            lambda: pair("TIMESTAMP", f"TIMESTAMPADD({unit}, {{}}, {{}})", f"({{1}} + {{0}} * INTERVAL 1 {unit})",
                         self.leaf("INT"), a),
            lambda: pair("TIMESTAMP", "TIMESTAMPADD(MONTH, {}, {})", "({1} + {0} * INTERVAL 1 MONTH)", self.leaf("INT"), a),
            lambda: both("TIMESTAMP", "CAST({} AS TIMESTAMP)", self.of("DATE", depth - 1)),
            lambda: pair("TIMESTAMP", "CAST({} AS TIMESTAMP)", "(DATE '1970-01-01' + {})", self.of("TIME", depth - 1)),
            lambda: pair("TIMESTAMP", "TO_TIMESTAMP({} * 86400000)", "epoch_ms(CAST({} AS BIGINT) * 86400000)", self.leaf("BIGINT")),
        ])()

    def make_date(self, depth):
        if depth == 0:
            return self.leaf("DATE")
        days, a = self.rng.randint(1, 40), self.of("DATE", depth - 1)
        return self.rng.choice(self.general("DATE", depth) + [
            lambda: both("DATE", "CAST({} AS DATE)", self.of("TIMESTAMP", depth - 1)),
            lambda: pair("DATE", f"({{}} + INTERVAL '{days}' DAY)", f"CAST({{}} + INTERVAL '{days}' DAY AS DATE)", a),
            lambda: pair("DATE", f"({{}} - INTERVAL '{days}' MONTH)", f"CAST({{}} - INTERVAL '{days}' MONTH AS DATE)", a),
            lambda: pair("DATE", f"TIMESTAMPADD(DAY, {days}, {{}})", f"CAST({{}} + INTERVAL '{days}' DAY AS DATE)", a),
            lambda: pair("DATE", "FLOOR({} TO MONTH)", "CAST(date_trunc('month', {}) AS DATE)", a),
            lambda: both("DATE", "CAST(CAST({} AS VARCHAR) AS DATE)", a),
        ])()

    def make_time(self, depth):
        if depth == 0:
            return self.leaf("TIME")
        a, unit, count = self.of("TIME", depth - 1), self.rng.choice(UNITS[:3]), self.rng.randint(1, 90)
        return self.rng.choice(self.general("TIME", depth) + [
            lambda: both("TIME", "CAST({} AS TIME)", self.of("TIMESTAMP", depth - 1)),
            lambda: both("TIME", f"({{}} + INTERVAL '{count}' {unit})", a),
            lambda: both("TIME", f"({{}} - INTERVAL '{count}' {unit})", a),
            lambda: pair("TIME", f"FLOOR({{}} TO {unit})", f"CAST(date_trunc('{unit}', DATE '2024-01-01' + {{}}) AS TIME)", a),
            lambda: both("TIME", "CAST(CAST({} AS VARCHAR) AS TIME)", a),
        ])()
