"""Writes tests/goldens/random.sql: random scalar expressions over all functions that docs/functions.md lists, and operators.

    python xtask/random_expressions.py [SEED] [COUNT]

The same seed gives the same file as long as the functions are the same. `cargo xtask goldens` records what Trino makes of
it, and tests/test_goldens.py compares. Errors are results like others: arguments are of the right types mostly, and
only sometimes sensible.
"""

import random
import re
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
FUNCTIONS = ROOT / "docs" / "functions.md"
OUT = ROOT / "tests" / "goldens" / "random.sql"

# Not a function of their arguments alone, or of our own making: states of sketches, releases after Trino 435.
LEFT_OUT = {
    "array_shuffle", "current_timezone", "now", "rand", "random", "shuffle", "uuid", "version", "t_cdf", "t_pdf",
    "current_date", "current_timestamp", "current_user", "localtime", "localtimestamp", "current_time", "if", "coalesce",
    "nullif", "try", "typeof", "json_exists", "json_value", "json_query", "json_object", "json_array", "hash_counts",
    "render", "normal_cdf", "inverse_normal_cdf", "beta_cdf", "inverse_beta_cdf", "make_set_digest", "fail",
    "reduce_agg", "from_iso8601_timestamp_nanos", "array_position", "split_to_map", "array_histogram", "bar",
}
SKETCHES = re.compile(r"hyperloglog|digest|any\b|color")

VALUES = {
    "boolean": ["true", "false"],
    "tinyint": ["TINYINT '1'", "TINYINT '-7'", "TINYINT '127'"],
    "smallint": ["SMALLINT '3'", "SMALLINT '-300'"],
    "integer": ["0", "1", "2", "3", "-1", "-5", "7", "10", "64", "1000", "2147483647"],
    "bigint": ["BIGINT '0'", "BIGINT '1'", "BIGINT '-2'", "BIGINT '12'", "BIGINT '4000000000'", "3", "2", "-1"],
    "real": ["REAL '0.5'", "REAL '-1.25'", "REAL '3'", "REAL '1e10'"],
    "double": ["0e0", "1e0", "2.5e0", "-0.5e0", "1e-3", "1e10", "nan()", "infinity()", "0.25e0"],
    "decimal": ["1.5", "-0.05", "123.456", "0.0", "99999999999.99", "DECIMAL '7'", "DECIMAL '-12345678901234567890.5'"],
    "varchar": ["'abc'", "''", "'Größe'", "' a b '", "'a,b,,c'", "'12'", "'The quick brown fox'", "'0'", "'x=1,y=2'"],
    "char": ["CAST('ab' AS char(4))", "CHAR 'xyz'"],
    "varbinary": ["X''", "X'00ff'", "X'616263'", "to_utf8('héllo')", "X'0102030405060708'"],
    "date": ["DATE '2020-02-29'", "DATE '1969-12-31'", "DATE '2024-12-30'", "DATE '2001-08-22'"],
    "time": ["TIME '01:02:03'", "TIME '23:59:59.999'", "TIME '00:00:00.000001'"],
    "time with time zone": ["TIME '01:02:03+01:00'", "TIME '23:30:00.5 -08:00'"],
    "timestamp": [
        "TIMESTAMP '2020-02-29 01:02:03.456'", "TIMESTAMP '1999-12-31 23:59:59'", "TIMESTAMP '2024-07-01 12:00:00.123456'",
    ],
    "timestamp with time zone": [
        "TIMESTAMP '2020-02-29 01:02:03.456 UTC'", "TIMESTAMP '2024-07-01 12:00:00 Europe/Berlin'",
        "TIMESTAMP '1999-12-31 23:59:59.5 -08:00'",
    ],
    "interval day to second": ["INTERVAL '1' DAY", "INTERVAL '-2 03:04:05.678' DAY TO SECOND", "INTERVAL '90' MINUTE"],
    "interval year to month": ["INTERVAL '1' YEAR", "INTERVAL '-3' MONTH", "INTERVAL '1-2' YEAR TO MONTH"],
    "json": ["JSON '{\"a\": [1, 2, {\"b\": null}], \"c\": \"x\"}'", "JSON '[1, 2.5, \"z\"]'", "JSON 'null'", "JSON '\"text\"'"],
    "uuid": ["UUID '12151fd2-7586-11e9-8f9e-2a86e4085a59'"],
    "ipaddress": ["IPADDRESS '10.0.0.1'", "IPADDRESS '2001:db8::1'"],
}

# What the texts of some functions mean, by the argument's index.
TEXTS = {
    ("date_trunc", 0): ["'day'", "'month'", "'quarter'", "'hour'", "'week'", "'year'", "'minute'", "'second'"],
    ("date_add", 0): ["'day'", "'month'", "'quarter'", "'hour'", "'week'", "'year'", "'millisecond'"],
    ("date_diff", 0): ["'day'", "'month'", "'quarter'", "'hour'", "'week'", "'year'", "'second'"],
    ("date_format", 1): ["'%Y-%m-%d'", "'%H:%i:%s.%f'", "'%W %e %M %y'", "'%T %p %j'", "'%x-%v'"],
    ("date_parse", 0): ["'2020-02-29'", "'2020-13-01'", "'29 Feb 2020'", "'11:12'"],
    ("date_parse", 1): ["'%Y-%m-%d'", "'%d %b %Y'", "'%H:%i'"],
    ("format_datetime", 1): ["'yyyy-MM-dd'", "'EEE, d MMM yy'", "'HH:mm:ss.SSS'", "'D w e'", "'hh a'"],
    ("parse_datetime", 0): ["'2020-02-29'", "'2020-02-30'", "'01:02'"],
    ("parse_datetime", 1): ["'yyyy-MM-dd'", "'HH:mm'", "'yyyyMMdd'"],
    ("from_iso8601_date", 0): ["'2020-02-29'", "'2020-W10'", "'2020-100'", "'x'"],
    ("from_iso8601_timestamp", 0): ["'2020-02-29T01:02:03Z'", "'2020-02-29T01:02+02:00'", "'2020-02-29'", "'x'"],
    ("parse_duration", 0): ["'3.5s'", "'2m'", "'1d'", "'x'"],
    ("parse_data_size", 0): ["'1kB'", "'2.5MB'", "'x'"],
    ("parse_presto_data_size", 0): ["'1kB'", "'2.5MB'", "'1B'"],
    ("at_timezone", 1): ["'America/New_York'", "'+05:30'", "'UTC'"],
    ("with_timezone", 1): ["'America/New_York'", "'+05:30'", "'UTC'"],
    ("from_unixtime", 1): ["'America/New_York'", "'UTC'"],
    ("json_extract", 0): ["'{\"a\": [1, 2], \"b\": {\"c\": \"x\"}}'", "'[1, 2]'", "'x'"],
    ("json_extract", 1): ["'$.a'", "'$.b.c'", "'$[0]'", "'$.a[1]'", "'$'", "'a'"],
    ("json_extract_scalar", 0): ["'{\"a\": [1, 2], \"b\": {\"c\": \"x\"}}'", "'[1, 2.50]'"],
    ("json_extract_scalar", 1): ["'$.a[0]'", "'$.b.c'", "'$[1]'", "'$.b'"],
    ("json_size", 0): ["'{\"a\": [1, 2], \"b\": {\"c\": \"x\"}}'", "'[1, 2]'"],
    ("json_size", 1): ["'$.a'", "'$.b'", "'$'"],
    ("json_parse", 0): ["'{\"b\": 1, \"a\": [true, null]}'", "'[1, 2.50, 1e2]'", "'\"x\"'", "'x'"],
    ("json_array_contains", 0): ["'[1, 2, 3]'", "'[\"a\", true]'", "'[1.5, 2.0]'"],
    ("json_array_length", 0): ["'[1, 2, 3]'", "'{}'"],
    ("json_array_get", 0): ["'[1, \"x\", {\"a\": 1}]'"],
    ("is_json_scalar", 0): ["'1'", "'[1]'", "'\"x\"'"],
    ("normalize", 1): ["NFC", "NFD"],
    ("url_extract_parameter", 1): ["'k1'", "'zz'"],
    ("format", 0): ["'%s'", "'%5d'", "'%08.3f'", "'%x'"],
    ("from_base", 1): ["16", "2", "36"],
    ("to_base", 1): ["16", "2", "36"],
    ("translate", 1): ["'abc'", "'aeiou'"],
    ("contains", 0): ["'10.0.0.0/8'"],
    ("word_stem", 1): ["'en'", "'de'", "'fr'", "'es'"],
    ("word_stem", 0): ["'running'", "'generalizations'", "'Häuser'", "'mangées'", "'corriendo'"],
    ("from_big_endian_32", 0): ["X'00000001'", "X'ff'"],
    ("from_big_endian_64", 0): ["X'0000000000000001'", "X'ff'"],
    ("from_ieee754_32", 0): ["X'3f800000'", "X'ff'"],
    ("from_ieee754_64", 0): ["X'3ff0000000000000'", "X'ff'"],
    ("luhn_check", 0): ["'79927398713'", "'79927398714'", "'x'"],
    ("char2hexint", 0): ["'abc'"],
    ("from_base64", 0): ["'YWJj'", "'!'"],
    ("from_base64url", 0): ["'YWJj'", "'_-8='"],
    ("from_base32", 0): ["'MFRGG==='", "'1'"],
    ("from_hex", 0): ["'616263'", "'zz'"],
    ("codepoint", 0): ["'a'", "'ß'"],
    ("soundex", 0): ["'Robert'", "'Tymczak'"],
    ("hamming_distance", 0): ["'abc'", "'abd'"],
    ("hamming_distance", 1): ["'abc'", "'ab'"],
}
PATTERNS = ["'[a-z]+'", "'(\\w)(\\w)'", "','", "'\\d+'", "'^.'", "'('", "'b?'"]
URLS = ["'https://user@example.com:8080/a/b.html?k1=v1&k2=a%20b#top'", "'http://x.org'", "'not a url'"]

TYPE_CHOICES = ["integer", "varchar", "double", "bigint", "boolean", "date"]


def split(text):
    """The parts between the commas that stand in no parentheses."""
    parts, depth, part = [], 0, ""
    for letter in text:
        depth += (letter == "(") - (letter == ")")
        if letter == "," and depth == 0:
            parts.append(part.strip())
            part = ""
        else:
            part += letter
    return [*parts, part.strip()] if part.strip() else parts


def signatures():
    """The scalar functions' signatures: name, parameters, result."""
    found = []
    for line in FUNCTIONS.read_text().splitlines():
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)]
        if len(cells) < 6 or cells[3] != "scalar":
            continue
        for text in re.findall(r"`([^`]+)`", cells[2]):
            head, _, result = text.partition(" -> ")
            name, _, inner = head.partition("(")
            if name in LEFT_OUT or SKETCHES.search(text):
                continue
            found.append((name, split(inner[:-1]), result.split(" where ")[0]))
    return sorted(found)


class Expressions:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.signatures = signatures()
        self.by_result = {}
        for signature in self.signatures:
            self.by_result.setdefault(self.plain(signature[2]), []).append(signature)

    @staticmethod
    def plain(ty):
        """A type without its numbers."""
        return re.sub(r"^(varchar|char|decimal|timestamp|time)\([^)]*\)", r"\1", ty)

    def bound(self, ty, variables):
        """A type with types in the place of its variables."""
        def choose(match):
            return variables.setdefault(match.group(0), self.random.choice(TYPE_CHOICES))
        return re.sub(r"\b[A-Z][0-9]?\b", choose, ty)

    def value(self, ty, depth, where=None):
        ty = self.plain(ty)
        pick = self.random.random()
        if pick < 0.03 and where is not None:
            return f"CAST(NULL AS {ty})" if not ty.startswith("function") else "x -> x"
        if where in TEXTS:
            return self.random.choice(TEXTS[where])
        if where and ty == "varchar" and where[0].startswith("regexp_") and where[1] == 1:
            return self.random.choice(PATTERNS)
        if where and ty == "varchar" and where[0].startswith("url_extract") and where[1] == 0:
            return self.random.choice(URLS)
        if ty.startswith("array("):
            inner = ty[6:-1]
            count = self.random.randint(1, 3)
            return f"ARRAY[{', '.join(self.value(inner, depth + 2) for _ in range(count))}]"
        if ty.startswith("map("):
            key, value = split(ty[4:-1])
            keys = self.distinct(key)
            return f"MAP(ARRAY[{', '.join(keys)}], ARRAY[{', '.join(self.value(value, depth + 2) for _ in keys)}])"
        if ty.startswith("row("):
            return f"ROW({', '.join(self.value(field, depth + 2) for field in split(ty[4:-1]))})"
        if ty.startswith("function("):
            *parameters, result = split(ty[9:-1])
            names = ["x", "y", "z"][: len(parameters)]
            same = [name for name, parameter in zip(names, parameters) if parameter == result]
            body = self.random.choice(same) if same and self.random.random() < 0.7 else self.value(result, depth + 2)
            return f"({', '.join(names)}) -> {body}"
        if depth < 2 and pick > 0.6:
            return self.composed(ty, depth)
        return self.random.choice(VALUES[ty])

    def distinct(self, ty):
        values = VALUES.get(self.plain(ty), ["1"])
        return self.random.sample(values, min(len(values), self.random.randint(1, 2)))

    def composed(self, ty, depth):
        """An operator or another function that gives the type."""
        inner = lambda: self.value(ty, depth + 1)
        forms = [
            lambda: f"coalesce({inner()}, {inner()})",
            lambda: f"IF({self.value('boolean', depth + 1)}, {inner()}, {inner()})",
            lambda: f"CASE WHEN {self.value('boolean', depth + 1)} THEN {inner()} ELSE {inner()} END",
            lambda: f"nullif({inner()}, {inner()})" if ty != "json" else inner(),
        ]
        if ty in ("integer", "bigint", "double", "decimal", "real"):
            forms += [lambda: f"({inner()} {self.random.choice('+-*/%')} {inner()})", lambda: f"-({inner()})"] * 2
        if ty == "varchar":
            forms += [lambda: f"({inner()} || {inner()})", lambda: f"CAST({self.value('integer', depth + 1)} AS varchar)"]
        if ty == "boolean":
            other = self.random.choice(["integer", "varchar", "double", "date", "decimal"])
            operand = lambda: self.value(other, depth + 1)
            forms += [
                lambda: f"({operand()} {self.random.choice(['=', '<>', '<', '<=', '>', '>='])} {operand()})",
                lambda: f"({operand()} BETWEEN {operand()} AND {operand()})",
                lambda: f"({operand()} IN ({operand()}, {operand()}))",
                lambda: f"({operand()} IS DISTINCT FROM {operand()})",
                lambda: f"({inner()} {self.random.choice(['AND', 'OR'])} {inner()})",
            ]
        if ty in ("date", "timestamp"):
            forms.append(lambda: f"({inner()} + {self.value('interval year to month', depth + 1)})")
        choices = self.by_result.get(ty, [])
        if choices and self.random.random() < 0.6:
            return self.call(self.random.choice(choices), depth + 1)
        return self.random.choice(forms)()

    def call(self, signature, depth=0):
        name, parameters, _ = signature
        variables, args = {}, []
        for index, parameter in enumerate(parameters):
            if parameter.endswith("..."):
                args += [self.value(self.bound(parameter[:-3], variables), depth + 1) for _ in range(2)]
            else:
                args.append(self.value(self.bound(parameter, variables), depth + 1, (name, index)))
        return f"{name}({', '.join(args)})"

    def expressions(self, count):
        """Each signature once, in an order of its own, then operators and calls by chance."""
        order = list(self.signatures)
        self.random.shuffle(order)
        seen = set()
        for signature in order[: count * 3 // 4]:
            seen.add(self.call(signature))
        while len(seen) < count:
            ty = self.random.choice(sorted(VALUES))
            seen.add(self.composed(ty, 0))
        return sorted(seen)


def main():
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else 435
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 600
    lines = ["-- Random expressions of functions and operators, by xtask/random_expressions.py."]
    for expression in Expressions(seed).expressions(count):
        lines.append(f"SELECT {expression} AS v, typeof({expression}) AS t;")
    OUT.write_text("\n".join(lines) + "\n")
    print(f"{OUT.relative_to(ROOT)}: {count}")


if __name__ == "__main__":
    main()
