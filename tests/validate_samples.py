"""Code as people write it, by language: (language, text), and broken (language, text, line, column, message)."""

GO = """package main

import (
	"fmt"
	"net/http"
)

type Store[K comparable, V any] struct {
	items map[K]V `json:"items"`
}

func (s *Store[K, V]) Get(key K) (V, error) {
	if v, ok := s.items[key]; ok {
		return v, nil
	}
	var zero V
	return zero, fmt.Errorf("no %v: %w", key, http.ErrNoCookie)
}

func main() {
	ch := make(chan int, 1)
	go func() { defer close(ch); ch <- 1 }()
	for range 3 {
		select {
		case v := <-ch:
			fmt.Println(v)
		default:
		}
	}
}
"""
RUST = """use std::collections::HashMap;

#[derive(Debug, Clone)]
pub enum Shape<'a> { Circle { r: f64 }, Named(&'a str) }

macro_rules! square { ($x:expr) => { $x * $x }; }

pub async fn area<T: Into<f64>>(shape: &Shape<'_>, x: T) -> Result<f64, Box<dyn std::error::Error>> {
    let Some(y) = Some(x.into()) else { return Err("none".into()) };
    Ok(match shape {
        Shape::Circle { r } if *r > 0.0 => std::f64::consts::PI * square!(r),
        Shape::Named(n) => n.parse::<f64>()?,
        _ => y,
    })
}

fn main() {
    let mut map: HashMap<String, Vec<u8>> = HashMap::new();
    map.entry("a".to_string()).or_default().push(b'x');
    println!("{map:?} {}", r#"raw "text""#);
}
"""
JAVA = """package a.b;

import java.util.*;

public sealed interface Shape permits Circle, Square {}
record Circle(double r) implements Shape {}
record Square(double a) implements Shape {}

class Main {
    private static final Map<String, List<Integer>> M = new HashMap<>();

    static double area(Shape s) {
        return switch (s) {
            case Circle c -> Math.PI * c.r() * c.r();
            case Square q when q.a() > 0 -> q.a() * q.a();
            default -> 0;
        };
    }

    public static void main(String[] args) throws Exception {
        var text = \"\"\"
            hello "you"
            \"\"\";
        try (var in = new Scanner(System.in)) {
            M.computeIfAbsent(text, k -> new ArrayList<>()).add(1);
        } catch (IllegalStateException | RuntimeException e) {
            throw new Exception(e);
        }
    }
}
"""
C = """#include <stdio.h>
#include <stdlib.h>

#define LIMIT 10
#define MAX(a, b) ((a) > (b) ? (a) : (b))

typedef struct node { int value; struct node *next; } node_t;

static int compare(const void *a, const void *b) {
    return *(const int *)a - *(const int *)b;
}

int main(int argc, char **argv) {
    int values[LIMIT] = {[0] = 3, 1};
    node_t *n = malloc(sizeof *n);
    if (n == NULL) { perror("malloc"); return EXIT_FAILURE; }
    qsort(values, LIMIT, sizeof(int), compare);
    for (size_t i = 0; i < LIMIT; i++) printf("%d %c\\n", MAX(values[i], argc), '}');
    free(n);
    return 0;
}
"""
C_MACROS = """#include <Python.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    PyObject_HEAD
    PyObject *attr;
} XxoObject;

static ALWAYS_INLINE int f(int a) __attribute__((nonnull));
LIST_FOREACH(item, &head, entries) { use(va_arg(ap, char **)); }

#ifdef __cplusplus
}
#endif
"""
CPP = """#include <iostream>
#include <vector>

namespace a::b {
template <typename T> concept Number = std::is_arithmetic_v<T>;

template <Number T, int N = 3>
class Box final : public Base<T> {
public:
    explicit Box(T v) noexcept : value_{v} {}
    [[nodiscard]] auto get() const -> T { return value_; }
    Box &operator=(const Box &) = delete;
    virtual ~Box() override = default;
private:
    T value_;
};
}  // namespace a::b

int main() {
    std::vector<std::pair<int, std::string>> items{{1, "a"}, {2, R"(raw ")x)"}};
    for (const auto &[k, v] : items) std::cout << k << v << '\\n';
    auto f = [&items, n = 1](auto &&x) mutable { return x + n; };
    if constexpr (sizeof(int) == 4) { try { f(1); } catch (const std::exception &e) { throw; } }
    return 0;
}
"""
JAVASCRIPT = """#!/usr/bin/env node
import fs, { readFile as read } from "node:fs/promises";

const re = /[/"`]+/gi;
export default class A extends B {
  #x = 1;
  static { this.y = 2; }
  get x() { return this.#x ?? `a ${this.y?.z ?? `b${1}`}`; }
  async *gen() { for await (const x of y) yield* x; }
}
const f = async ({ a, ...rest }, [b = 1]) => { await read(a); return { ...rest, [b]: 1_000n } };
label: for (let i = 0; i < 3; i++) { if (i) continue label }
const el = <div className="a" {...props}>{items.map(i => <Item key={i} />)} it's</div>;
"""
TYPESCRIPT = """import type { A } from "./a";
enum Color { Red = 1, Green }
interface Props<T extends object = {}> { readonly a?: T; [key: string]: unknown; (x: number): string }
type Keys<T> = { [K in keyof T as `get${string & K}`]?: T[K] extends (infer U)[] ? U : never };
abstract class B<T> implements A { constructor(private readonly x: T, public y?: number) {} abstract f(): void }
function isA(x: unknown): x is A { return (x as A)!.b satisfies boolean }
declare module "x" { export const y: unique symbol }
@Injectable() export class S { @Input() name!: string; f = <T,>(x: T): T => x }
const x = <const>["a"]; let y: Promise<Record<string, [a: number, b?: string]>>;
"""
TSX = """export const App: React.FC<Props> = ({ items }) => {
  const [n, setN] = useState<number | null>(null);
  return (<><Item<string> key="a" onClick={() => setN((n ?? 0) + 1)} />{n && <p>{n}</p>}</>);
};
"""
RUBY = """# frozen_string_literal: true
require "json"

module A
  class B < Struct.new(:x, keyword_init: true)
    include Comparable
    attr_reader :y
    def <=>(other) = x <=> other.x
    def self.call(*args, key: 1, **rest, &block)
      args.map { |a| a&.to_s }.each_with_index do |a, i|
        puts "#{a} #{"nested #{i}"}" unless i.zero?
      end
    rescue ArgumentError => e
      raise
    ensure
      yield if block_given?
    end
  end
end

text = <<~EOS
  hello #{name}
EOS
case [1, { a: 2 }]
in [Integer => n, { a: }] if n > 0 then puts a
else nil
end
%w[a b].each(&:upcase!)
x = y ? /re[x]/i : :"sym bol"
"""
PHP = """<?php
declare(strict_types=1);

namespace App\\Models;

use App\\{A, B as C};

#[Attribute]
final class User extends Model implements \\JsonSerializable
{
    public function __construct(private readonly ?string $name = null, protected int|float $x = 1) {}

    public function f(array &$a, string ...$rest): static
    {
        $g = fn($x) => $x?->y['z'] ?? self::class;
        [$a, 'k' => $b] = $rest;
        return match (true) { $a > 1, $b => $this, default => throw new \\Exception("no {$a['x']} $b->c") };
    }
}
enum Suit: string { case Hearts = 'H'; }
?>
<p><?= htmlspecialchars($x) ?></p>
<?php if ($a): ?> <b>it's</b> <?php endif; ?>
"""
BASH = """#!/usr/bin/env bash
set -euo pipefail
trap 'rm -rf "$tmp"' EXIT

usage() { echo "Usage: ${0##*/} [-h] FILE" >&2; exit 2; }
declare -A map=([a]=1 ["b c"]=2)
args=("$@" "${map[@]:-}" $(date +%s))
while getopts ":ho:" opt; do
  case "$opt" in
    h|\\?) usage ;;
    o) out=${OPTARG%.*} ;;
  esac
done
if [[ -f "$1" && $2 =~ ^[0-9]+$ ]] || (( $# > 3 )); then
  for ((i = 0; i < 10; i++)); do echo "$((i * 2))"; done
elif ! grep -q x <<< "$1"; then
  while IFS= read -r line; do printf '%s\\n' "${line//a/b}"; done < <(sort file) 2>&1 | tee log
fi
cat > "$out" <<-'EOF'
	not $expanded `here`
	EOF
cat <<EOF | sort
$(date) ${x:-"y"}
EOF
echo {1..3} {a,b}.txt $'tab\\t'
"""
SQL = """-- users
BEGIN;
CREATE TABLE IF NOT EXISTS users (
    id BIGSERIAL PRIMARY KEY,
    email VARCHAR(255) NOT NULL UNIQUE CHECK (email LIKE '%@%'),
    org_id INT REFERENCES orgs (id) ON DELETE CASCADE,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    CONSTRAINT u UNIQUE (email, org_id)
);
CREATE UNIQUE INDEX CONCURRENTLY i ON users USING btree (lower(email)) WHERE org_id IS NULL;
ALTER TABLE users ADD COLUMN age INT DEFAULT 0, DROP COLUMN old;
INSERT INTO users (email, age) VALUES ('it''s', 1), ('b', 2)
    ON CONFLICT (email) DO UPDATE SET age = EXCLUDED.age RETURNING id;
WITH RECURSIVE t (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 5)
SELECT u.*, row_number() OVER (PARTITION BY org_id ORDER BY age DESC) AS r, data->>'x' AS x, a::text
FROM users u LEFT JOIN t USING (n) WHERE age BETWEEN 1 AND 9 GROUP BY 1 HAVING count(*) > 1 ORDER BY 2 LIMIT 5;
COMMIT;
"""
SQL_MORE = [
    "INSERT INTO t (a) VALUES (1) ON DUPLICATE KEY UPDATE a = VALUES(a);",
    "CREATE TABLE t (id INT AUTO_INCREMENT, KEY k (a)) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;",
    "SELECT TOP 10 [name] FROM [dbo].[t] WITH (NOLOCK);\nGO\n",
    "PRAGMA foreign_keys = ON;\nINSERT OR REPLACE INTO t VALUES (?1);",
    "CREATE OR REPLACE FUNCTION f(a int) RETURNS int AS $$ BEGIN RETURN a; END; $$ LANGUAGE plpgsql;",
    "DELIMITER //\nCREATE PROCEDURE p() BEGIN SELECT 1; END //\nDELIMITER ;\n",
    "\\echo hi\nSELECT 1;\n",
    "COPY t FROM stdin;\n1\t2\n\\.\n",
    "SELECT * FROM {{ ref('a') }}\n",
    "MERGE INTO t USING s ON t.id = s.id WHEN MATCHED THEN UPDATE SET a = s.a;",
    "GRANT SELECT ON t TO u;\nVACUUM;\nREINDEX t;\nLOCK TABLE t;\n",
    "(SELECT 1) UNION (SELECT 2);\nVALUES (1, 2);",
]
HTML = """<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>a & b</title>
<style>p > a { color: red }</style>
<script>if (a < b && c) { document.write("</p>") }</script></head>
<body class=x data-y='1' hidden>
<p>one<p>two<br><img src="a.png" alt="<x>">
<ul><li>a<li>b</ul>
<table><tr><td>1<td>2</table>
<svg viewBox="0 0 1 1"><path d="M0 0"/></svg>
</body>
</html>
"""
CSS = """@import url("a.css") screen;
:root { --main: #fff; --empty:; }
@media (min-width: 40em) and (width < 80em), print { a:hover::before { content: "\\201C}"; } }
@container card (width > 400px) { .a { display: grid; } }
@supports (display: grid) { .x > .y ~ z + w:not(.a, .b):nth-child(2n+1) { width: calc(100% - (2 * var(--x, 1px))); } }
@keyframes k { from { opacity: 0 } 50.5% { opacity: .5 } to { opacity: 1 } }
@font-face { font-family: "A B"; src: url(./a.woff2) format("woff2"), url(data:font/woff2;base64,AA==); }
.card { color: red ! important; &:hover { color: blue } .in & { margin: -1px auto 0 } }
input[type="text" i] { transition: all .2s ease-in-out, color 1s cubic-bezier(.1, .2, .3, 1) }
"""
DOCKERFILE = """# syntax=docker/dockerfile:1
ARG VERSION=3.12
FROM --platform=$BUILDPLATFORM python:${VERSION}-slim AS build
ENV A=1 B="two words"
WORKDIR /app
COPY --from=ghcr.io/astral-sh/uv:latest --chown=1:1 /uv /bin/
RUN --mount=type=cache,target=/root/.cache apt-get update && \\
    # a comment within
    apt-get install -y --no-install-recommends curl \\
    && rm -rf /var/lib/apt/lists/*
RUN <<EOF
set -e
echo "hi"
EOF
HEALTHCHECK --interval=5s CMD curl -f http://localhost/ || exit 1
EXPOSE 80/tcp
USER 1000
ENTRYPOINT ["python", "-m", "app"]
CMD python app.py
"""
LUA = """local M = {}
--[[ long
comment ]]
local t <const> = { 1, "two", [3] = 4, key = function(...) return select("#", ...) end; }
function M:method(a, b)
  for k, v in pairs(self) do if k ~= v then goto continue end ::continue:: end
  for i = 1, 10, 2 do print(i // 2, i & 1) end
  repeat local x = a .. [[long ]] until not x or #t >= 0x1F
  return a and b or nil
end
return setmetatable(M, { __index = t })
"""
YAML = """%YAML 1.1
---
on: [push, "pull_request"]
jobs: &j
  test: {runs-on: ubuntu-latest, steps: []}
  text: |
    tabs	and: colons
  folded: >-
    x
  ? complex
  : !Ref tagged
other: *j
...
---
- 2
"""
PYTHON = """from __future__ import annotations
import asyncio

@decorator
class A[T: int] if False else None: ...
"""
PYTHON = '''"""Doc."""
from dataclasses import dataclass


@dataclass(frozen=True)
class A:
    x: int | None = None

    async def f(self, /, *args, k=1, **rest) -> "A":
        async with a as b, c:
            return [y async for y in z if (n := y)]


match A():
    case A(x=int() as q) if q: print(f"{q!r:>{10}} {'a'}")
    case _: pass
'''

VALID = [
    ("python", PYTHON),
    ("python", "\ufeffx = 1\n"),
    ("json", '{"a": [1, -2.5e3, true, null], "a": "\\u00e9\\ud83d"}\n'),
    ("json", '"text"'),
    ("jsonl", '{"a": 1}\n\n[2]\n"x"'),
    ("toml", 'a.b = 1\n[t]\n"k" = [1, "x", 1979-05-27T07:32:00Z]\n[[u]]\nx = { y = 1 }\ns = """\nlong\n"""\n'),
    ("yaml", YAML),
    ("javascript", JAVASCRIPT),
    ("typescript", TYPESCRIPT),
    ("typescript", TSX),
    ("tsx", TSX),
    ("go", GO),
    ("rust", RUST),
    ("java", JAVA),
    ("c", C),
    ("c", C_MACROS),
    ("c", CPP),
    ("c", "int f(void) {\n    return g(1,\n#ifdef debug\n        2\n#else\n        3\n#endif\n    );\n}\n"),
    ("cpp", C_MACROS),
    ("cpp", CPP),
    ("ruby", RUBY),
    ("php", PHP),
    ("php", "<h1>only HTML</h1>\n"),
    ("bash", BASH),
    ("bash", "cat >x <<\\EOF ||\n{\nEOF\ndie 'it'\n[[ $a != *\\'\"x\":\\'*([[:space:]])true* ]] || exit 0\n"),
    ("sql", SQL),
    *(("sql", text) for text in SQL_MORE),
    ("html", HTML),
    ("html", "just text\n"),
    ("css", CSS),
    ("dockerfile", DOCKERFILE),
    ("lua", LUA),
]

BROKEN = [
    ("python", "def f():\n    return (1 +\n", 2, 12, "Python 3.11: '(' was never closed"),
    ("python", "x = 1\né = = 2\n", 2, 5, "invalid syntax"),
    ("python", "if x:\n    y\n  z\n", 3, 4, "unindent"),
    ("json", '{\n  "é": 1,\n}\n', 3, 1, "JSON: expecting property name"),
    ("json", '["NaN", NaN]', 1, 9, "NaN is no JSON number"),
    ("json", '["\\"Infinity", -Infinity]', 1, 16, "-Infinity is no JSON number"),
    ("json", '{"a": 1} {"b": 2}', 1, 10, "extra data"),
    ("jsonl", '{"a": 1}\n\n{"é": }\n', 3, 7, "JSON Lines: expecting value"),
    ("toml", 'a = 1\nb = "x\n', 2, 7, "TOML: Illegal character"),
    ("toml", "a = 1\n\nb = [1,", 3, 8, "at the end"),
    ("yaml", "a: 1\nb: [1, 2\nc: 3\n", 3, 2, "YAML: did not find expected ',' or ']'"),
    ("yaml", "é: *nobody\n", 1, 4, "no anchor &nobody"),
    ("yaml", "---\na: &x 1\n---\nb: *x\n", 4, 4, "no anchor &x"),
    ("yaml", "a:\n\t- b\n", 2, 1, "cannot start any token"),
    ("javascript", "function f(a {\n  return a;\n}\n", 1, 11, "JavaScript: `(` is never closed"),
    ("javascript", "const é = ;\n", 1, 9, "syntax error near `=`"),
    ("typescript", "interface A { x: number\nlet y = 1;\n", 1, 13, "TypeScript: `{` is never closed"),
    ("tsx", "const a = <div><p></div>;\n", 1, 1, "TypeScript (TSX): syntax error near"),
    ("go", "package main\n\nfunc main() {\n\tx := := 5\n}\n", 4, 7, "Go: syntax error near `:=`"),
    ("go", "package main\n\nfunc main() {\n\tprintln(1\n}\n", 4, 9, "Go: `(` is never closed"),
    ("rust", 'fn main() {\n    let x = 5\n    println!("é");\n}\n', 2, 13, "Rust: syntax error near `5`"),
    ("rust", "fn main() {\n    foo(1;\n}\n", 2, 8, "`(` is never closed"),
    ("java", "class A {\n    void f() {\n        int x = 1\n    }\n}\n", 3, 18, "Java: missing `;`"),
    ("java", "class A {\n    void f() {\n}\n", 1, 9, "`{` is never closed"),
    ("c", '#include <stdio.h>\n\nint main(void) {\n    printf("é")\n    return 0;\n}\n', 4, 16, "C: missing `;`"),
    ("c", "#define N 3\nint f(int a) {\n    if (a > N { return 1; }\n    return 0;\n}\n", 3, 8, "`(` is never closed"),
    ("c", "int f(void) {\n    return NULL == 1;\n", 1, 13, "`{` is never closed"),
    ("cpp", "class A {\npublic:\n    int x\n};\n", 3, 10, "C++: missing `;`"),
    ("cpp", "int main() {\n    std::vector<int> v = {1, 2;\n}\n", 1, 12, "`{` is never closed"),
    ("ruby", "def f(x)\n  puts x\n", 1, 1, "Ruby: "),
    ("ruby", "x = [1, 2\nputs x\n", 1, 9, "Ruby: syntax error near `2`"),
    ("php", "<?php\n$é = 1\necho $é;\n", 2, 7, "PHP: missing `;`"),
    ("php", "function f() { return 1; }\n", 1, 1, "no `<?php` tag"),
    ("bash", "for i in a b; do\n  echo $i\n", 2, 10, "Bash: missing `done`"),
    ("bash", "if true; then\n  echo\nfi\nfi\n", 4, 1, "syntax error near `fi`"),
    ("bash", "x='é'; echo \"abc\n", 1, 17, 'Bash: missing `"`'),
    ("sql", "SELECT 1;\nSELEC * FROM users;\n", 2, 9, "SQL: "),
    ("sql", "CREATE TABLE t (\n  id INT,\n  name TEXT\n;\n", 3, 8, "SQL: expecting )"),
    ("sql", "SELECT 'é';\nSELECT 'abc FROM t;\n", 2, 8, "never closed"),
    ("sql", "-- hm\nhello world\n", 2, 1, "no statement"),
    ("html", "<p>\n<div class='a'\n", 2, 15, "HTML: missing"),
    ("html", "<div>é</span></div>\n", 1, 7, "HTML: syntax error near `</span>`"),
    ("css", "a {\n  color: red;\nb { x: y }\n", 1, 3, "CSS: `{` is never closed"),
    ("css", "a { color red; }\n", 1, 5, "CSS: "),
    ("dockerfile", "FROM alpine\nRUNN echo hi\n", 2, 1, "Dockerfile: "),
    ("lua", "local x = 1\nif x then\n  print(x)\n", 2, 1, "Lua: "),
    ("lua", "local é = = 1\n", 1, 11, "Lua: syntax error near `=`"),
]
