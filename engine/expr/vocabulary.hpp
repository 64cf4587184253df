// What an expression says of its input that cannot be: members that the input never has, and texts that a member never is. `.statsu` is null for ever, so
// `.statsu != "faulted"` always holds, and `.status != "fualted"` does too.
//
// For checkers: whatever cannot be told is passed by, and nothing is ever claimed that an evaluation could contradict. Pure; any thread.
#pragma once

#include "expr/program.hpp"

#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace pawl::expr {

/// What is known of a value before it is there; null is possible in place of any. By itself: nothing.
struct vocabulary {
    std::map<std::string, std::shared_ptr<const vocabulary>, std::less<>> members;  ///< of an object
    bool closed = false;                      ///< the object has no others
    bool named = false;                       ///< it may have others, but none whose name is nearly that of a member: that is a slip
    std::shared_ptr<const vocabulary> items;  ///< of an array, and of an object whose members are all alike
    std::vector<std::string> prefixes;        ///< such an object's names all begin with one of these and `/`; empty: any name
    std::vector<std::string> words;           ///< the only texts that it may be; empty: any
    std::string noun;                         ///< what a word is: "task", "status"; of what is never there, its name
    std::string never;                        ///< why it is never there: "this case has no agent"; empty: it may be

    /// Whether it may have this member.
    bool may_have(std::string_view name) const;
    /// What is known of the member; null: nothing.
    const vocabulary* member(std::string_view name) const;
    bool may_be(std::string_view word) const;
    /// The names or words that could stand in place of one that cannot.
    std::vector<std::string> choices() const;
};

/// One place that says what cannot be.
struct impossible {
    enum class kind { member, word, absent } what = kind::member;
    std::string name;                  ///< of the member, or the word
    const vocabulary* of = nullptr;    ///< what has no such member, is never this word, or is never there
    std::size_t offset = 0;            ///< in the program's text
};

/// Each name once. `variables[i]` tells of the i-th name given to compile(); null: nothing is known of it. The result points into what was given.
std::vector<impossible> impossible_in(const program& code, const vocabulary& input, std::span<const vocabulary* const> variables = {});

}  // namespace pawl::expr
