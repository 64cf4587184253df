// Builtins written in the language itself: each is linked into a program only when the program names it.
#include <string_view>

namespace pawl::expr {

extern const std::string_view prelude_text;

const std::string_view prelude_text = R"jq(
def recurse(f; cond): recurse(f | select(cond));
def recurse_down: recurse;
def while(cond; update): def _loop: if cond then ., (update | _loop) else empty end; _loop;
def until(cond; update): def _loop: if cond then . else (update | _loop) end; _loop;
def repeat(exp): def _loop: exp, _loop; _loop;
def values: if . == null then empty else . end;
def nulls: if . == null then . else empty end;
def booleans: if type == "boolean" then . else empty end;
def numbers: if type == "number" then . else empty end;
def strings: if type == "string" then . else empty end;
def arrays: if type == "array" then . else empty end;
def objects: if type == "object" then . else empty end;
def iterables: if type | . == "array" or . == "object" then . else empty end;
def scalars: if type | . == "array" or . == "object" then empty else . end;
def finites: if type == "number" and (isinfinite or isnan | not) then . else empty end;
def normals: if isnormal then . else empty end;
def in(object): . as $key | object | has($key);
def inside(outer): . as $inner | outer | contains($inner);
def first: .[0];
def last: .[-1];
def nth($n): .[$n];
def nth($n; f): if $n < 0 then error("nth doesn't support negative indices") else first(skip($n; f)) end;
def paths: path(..) | select(length > 0);
def paths(node_filter): . as $top | paths | select(. as $p | $top | getpath($p) | node_filter);
def leaf_paths: paths(scalars);
def pick(pathexps): . as $top | reduce path(pathexps) as $p (null; setpath($p; $top | getpath($p)));
def with_entries(f): to_entries | map(f) | from_entries;
def walk(f): def _walk: if type == "object" then map_values(_walk) elif type == "array" then map(_walk) else . end | f; _walk;
def combinations: if . == [] then [] else .[0][] as $head | [$head] + (.[1:] | combinations) end;
def combinations(n): . as $dot | [range(n)] | map($dot) | combinations;
def index($i): indices($i) | .[0];
def rindex($i): indices($i) | .[-1:][0];
def join($separator): _join($separator);
def flatten: _flatten(-1; false);
def flatten($depth): _flatten($depth; true);
def ascii: [.] | implode;
def todate: strftime("%Y-%m-%dT%H:%M:%SZ");
def fromdateiso8601: strptime("%Y-%m-%dT%H:%M:%SZ") | mktime;
def todateiso8601: strftime("%Y-%m-%dT%H:%M:%SZ");
def fromdate: fromdateiso8601;
def date: todate;
def dateadd(unit; amount): . + amount;
def datesub(unit; amount): . - amount;
def tostream: def _events($at): if (type == "array" or type == "object") and length > 0 then keys_unsorted as $keys | ($keys[] as $k | .[$k] | _events($at + [$k])), [$at + $keys[-1:]] else [$at, .] end; _events([]);
def fromstream(events): foreach events as $event ({tree: null}; if .done then {tree: null} else . end | ($event | length) as $parts | if $parts > 1 then .tree |= setpath($event[0]; $event[1]) else . end | .done = ($event[0] | length == 2 - $parts); if .done then .tree else empty end);
def truncate_stream(stream): . as $drop | null | stream | select(.[0] | length > $drop) | .[0] |= .[$drop:];
def test($val): _test($val);
def test($re; $flags): _match($re; $flags; true);
def match($val): _match_of($val)[];
def match($re; $flags): _match($re; $flags; false)[];
def capture($val): match($val) | _capture;
def capture($re; $flags): match($re; $flags) | _capture;
def scan($re): scan($re; null);
def scan($re; $flags): match($re; "g" + $flags) | if (.captures | length) > 0 then [.captures[].string] else .string end;
def splits($re): splits($re; null);
def splits($re; $flags): split($re; $flags) | .[];
def sub($re; replacement): sub($re; replacement; "");
def gsub($re; replacement): sub($re; replacement; "g");
def gsub($re; replacement; $flags): sub($re; replacement; $flags + "g");
def sub($re; replacement; $flags): _match($re; $flags; false) as $found | if $found == [] then . else [$found[] | _capture | [replacement]] as $new | _substitute($found; $new)[] end;
def INDEX(stream; idx_expr): reduce stream as $row ({}; .[$row | idx_expr | tostring] = $row);
def INDEX(idx_expr): INDEX(.[]; idx_expr);
def JOIN($idx; idx_expr): [.[] | [., $idx[idx_expr]]];
def JOIN($idx; stream; idx_expr): stream | [., $idx[idx_expr]];
def JOIN($idx; stream; idx_expr; join_expr): stream | [., $idx[idx_expr]] | join_expr;
def IN(source): any(source == .; .);
def IN(source; s): any(source == s; .);
)jq";

}  // namespace pawl::expr
