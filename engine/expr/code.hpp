// The compiled form of a program: a tree of nodes in one arena, names resolved to distances. Immutable after compile(); any thread may walk it.
//
// The environment at run time is a chain of links, one per bound variable, function argument or label; `up` counts links from the newest.
#pragma once

#include "expr/program.hpp"
#include "expr/value.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace pawl::expr {

enum class op : std::uint8_t {
    identity, constant, global, local, field, index, slice, iterate, pipe, comma, negate, binary, and_, or_, alternative, if_, try_, collect,
    object, text, format, bind, reduce, foreach, label, break_, call, closure, assign, update, update_with, native,
    empty, error, path_of, getpath, delete_, recurse, first, last, limit, skip, any, all, range, add, is_empty, by
};

enum class operation : std::uint8_t { add, subtract, multiply, divide, modulo, equal, not_equal, less, less_equal, greater, greater_equal, alternative };

enum class ordering : std::uint8_t { sort, group, unique, min, max };

enum class text_format : std::uint8_t { text, json, csv, tsv, html, uri, urid, sh, base64, base64d, base32, base32d };

class machine;
struct node;

/// A builtin computed from its input and the values of its arguments. Returns invalid after machine::fail.
using native_function = value (*)(machine& m, value input, value* arguments);

/// A function of the program or of the prelude.
struct function {
    std::string name;
    std::size_t arity = 0;
    std::size_t depth = 0;  ///< links below it where it is defined
    const node* body = nullptr;
    bool single = true;     ///< yields exactly one output, if it ends without an error
    bool at_most_one = true;
};

/// One destructuring pattern: what to take from the value and where to put it.
struct pattern {
    enum class shape : std::uint8_t { variable, array, object };
    shape what = shape::variable;
    std::size_t slot = 0;  ///< of a variable: which of the bind's variables
    struct member {
        const node* key = nullptr;          ///< null for array items and for `$name`
        std::string name;                   ///< of `$name`
        std::size_t slot = no_slot;         ///< `$name` and `$name: pattern` also bind the member itself
        std::unique_ptr<pattern> inner;     ///< null when only the slot is bound
    };
    static constexpr std::size_t no_slot = static_cast<std::size_t>(-1);
    std::vector<member> members;
};

struct node {
    op what = op::identity;
    operation operate = operation::add;
    ordering order = ordering::sort;
    text_format format = text_format::text;
    bool single = false;        ///< exactly one output, or an error
    bool at_most_one = false;   ///< never a second output
    bool structural = false;    ///< takes part in path expressions
    bool literal = false;       ///< of a constant in a text: written there, so no format applies
    bool optional = false;      ///< of field, index, slice, iterate: no output instead of an error of this very step
    std::uint32_t offset = 0;   ///< in the program's text
    std::uint32_t length = 0;
    std::uint32_t height = 1;   ///< nesting that evaluation recurses over
    std::size_t up = 0;         ///< links to walk, or the number of a global
    const node* a = nullptr;
    const node* b = nullptr;
    const node* c = nullptr;
    const node* d = nullptr;
    std::vector<const node*> list;       ///< arguments; parts of a text; keys and values of an object in turn
    value constant;                      ///< borrowed from compiled::constants
    const function* callee = nullptr;
    const function* owner = nullptr;     ///< of a closure: the function whose parameter it is
    std::size_t parameter = 0;           ///< of a closure: which one
    native_function native = nullptr;
    std::vector<pattern> patterns;       ///< of bind, reduce and foreach; more than one for `?//`
    std::size_t variables = 0;           ///< links that the patterns add
};

/// Offset of nodes that come from the prelude: errors are told at the call.
inline constexpr std::uint32_t no_offset = static_cast<std::uint32_t>(-1);

struct program::compiled {
    std::string text;
    std::vector<std::string> variables;
    std::deque<node> nodes;           ///< children come before parents
    std::deque<function> functions;
    std::deque<json::value> constants;
    std::map<std::pair<std::string, std::size_t>, const function*> prelude;  ///< what was linked from it
    const node* root = nullptr;
    analysis facts;
};

}  // namespace pawl::expr
