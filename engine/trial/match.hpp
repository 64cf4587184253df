// Does what was seen follow what a case expects? Expectations are JSON with matchers in it:
//
//   objects   partial: what they name must be there, more may be
//   arrays    as many items, each of which matches
//   strings   `${ EXPRESSION }` is a condition on the value (`.`; `$seen` is everything that was seen); other strings are themselves
//   { $exactly: V }          V and nothing more                       { $matches: REGEX }   a string in which REGEX (Oniguruma) is found
//   { $range: [LOW, HIGH] }  a number within, either may be null      { $type: NAME }       null, boolean, number, string, array, object
//   { $contains: [..] }      an array with these items, in any order  { $inOrder: [..] }    these items in this order, others in between
//   { $anyOrder: [..] }      exactly these items, in any order        { $each: M }          an array whose items all match
//   { $size: N }             length of an array, object or string     { $not: M }           { $oneOf: [M..] }
//   { $absent: true }        as a member: it is not there
//
// Several matchers in one object must all hold. Pure; any thread.
#pragma once

#include "base/json.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pawl::trial {

struct mismatch {
    std::string pointer;   ///< JSON Pointer into the expectation
    std::string path;      ///< JSON Pointer into what was seen
    std::string expected;  ///< a few words or JSON text
    std::string actual;
};

/// Every place that does not match, at most 20.
/// `idle` gets the places of `$each` that had no item to look at, and so held of nothing.
std::vector<mismatch> match(const json::value& expected, const json::value& actual, const json::value& seen, std::vector<std::string>* idle = nullptr);

/// Mistakes of the expectation itself: unknown matchers, operands of the wrong type, expressions that do not compile. Pointer and sentence.
struct bad_matcher {
    std::string pointer;
    std::string message;
};
std::vector<bad_matcher> check_matchers(const json::value& expected);

}  // namespace pawl::trial
