// Evaluates nodes. Two ways in: one() for nodes that yield exactly one output, a plain recursive function; each() for generators, which calls
// `out` for every output and stops when it returns false. So generators are lazy without being suspended: whoever has enough says so.
// Tail positions loop instead of recursing, so that jq's recursive loops run in constant stack; all other recursion is bounded by a depth
// limit and by the real stack.
//
// each() comes for plain values and for located ones: values with the path that led to them, for path expressions.
// A failure is a false or invalid return, with its reason in the machine. One evaluation, one thread.
#pragma once

#include "expr/code.hpp"
#include "expr/links.hpp"

#include <span>
#include <string>

namespace pawl::expr {

/// A non-owning reference to what takes outputs.
template <class T>
class sink {
public:
    template <class F>
    sink(F&& f) noexcept  // NOLINT: implicit, to pass lambdas
        requires(!std::is_same_v<std::decay_t<F>, sink>)
        : object_(const_cast<void*>(static_cast<const void*>(&f))),
          call_([](void* object, T&& item) { return (*static_cast<std::remove_reference_t<F>*>(object))(std::move(item)); }) {}
    bool operator()(T&& item) const { return call_(object_, std::move(item)); }

private:
    void* object_;
    bool (*call_)(void*, T&&);
};

enum class signal : std::uint8_t { none, raised, broken, limited };

class machine {
public:
    machine(const program::compiled& code, std::span<const json::value* const> globals, const limits& bounds, const char* stack_floor);

    value one(const node* n, link* env, value in);
    template <class T>
    bool each(const node* n, link* env, T in, sink<T> out);

    // For natives.
    budget& funds() noexcept { return budget_; }
    value fail(std::string message);
    value fail(value payload);
    value limit(std::string message);
    value text(std::string s);  ///< a string value, or the limit error
    std::size_t enough_text() const noexcept { return bounds_.string_bytes + 1; }  ///< writing further cannot make a string that text() takes
    value array(std::vector<value>&& items) { return value::array(budget_, std::move(items)); }
    bool compare(const value& a, const value& b, int& order);  ///< false after an error
    bool equal(const value& a, const value& b, bool& same);
    const limits& bounds() const noexcept { return bounds_; }

    expr::signal signal() const noexcept { return signal_; }
    eval_error take_failure();
    bool exhausted();  ///< reports the limit when no steps are left

private:
    struct destructuring;
    friend struct destructuring;

    // machine.cpp
    bool tick() {
        if (budget_.steps == 0 || budget_.stack_is_low()) [[unlikely]] return exhausted_here();
        --budget_.steps;
        return true;
    }
    bool exhausted_here();
    void at(const node* n) noexcept {
        if (n->offset != no_offset) current_ = n;
    }
    value caught();  ///< the error's payload, after which there is no error
    static link* walk(link* env, std::size_t up) noexcept {
        for (; up > 0; --up) env = env->parent;
        return env;
    }
    link_ptr enter(const node* n, link* env);
    link_ptr bind_value(link* env, value v) { return links_.variable(env, std::move(v)); }
    bool single_now(const node* n, link* env) const noexcept;
    bool at_most_one_now(const node* n, link* env) const noexcept;

    // one.cpp
    value one_more(const node* n, link* env, value in);
    value one_binary(const node* n, link* env, value in);
    value one_logic(const node* n, link* env, const value& in);
    value one_collect(const node* n, link* env, value in);
    value one_object(const node* n, link* env, const value& in);
    value one_text(const node* n, link* env, const value& in);
    value one_native(const node* n, link* env, value in);
    value one_reduce(const node* n, link* env, value in);
    value one_try(const node* n, link* env, const value& in);
    value one_any_all(const node* n, link* env, value in);
    value one_add(const node* n, link* env, value in);
    value one_by(const node* n, link* env, const value& in);
    value one_is_empty(const node* n, link* env, value in);
    value one_slice(const node* n, link* env, const value& in);

    // each*.cpp
    template <class T>
    bool each_more(const node* n, link* env, T in, sink<T> out);
    template <class T>
    bool each_once(const node* n, link* env, T in, T& result, bool& any);
    template <class T>
    bool each_if(const node* n, link* env, const T& in, sink<T> out);
    value one_of(const node* n, link* env, const value& in);
    bool limited_depth();
    template <class T>
    bool each_step(const node* n, link* env, T in, sink<T> out);
    template <class T>
    bool each_item(const node* n, T target, sink<T> out);
    template <class T>
    bool each_try(const node* n, link* env, T in, sink<T> out);
    template <class T>
    bool each_alternative(const node* n, link* env, const T& in, sink<T> out, bool& found);
    template <class T>
    bool each_bind(const node* n, link* env, T in, sink<T> out);
    template <class T>
    bool each_reduce(const node* n, link* env, T in, sink<T> out);
    template <class T>
    bool each_foreach(const node* n, link* env, T in, sink<T> out);
    template <class T>
    bool each_recurse(const node* n, link* env, T in, sink<T> out);
    template <class T>
    bool each_first(const node* n, link* env, T in, sink<T> out);
    template <class T>
    bool each_limit(const node* n, link* env, T in, sink<T> out);
    template <class T>
    bool each_skip(const node* n, link* env, T in, sink<T> out);
    template <class T>
    bool each_getpath(const node* n, link* env, T in, sink<T> out);
    bool each_value(const node* n, link* env, value in, sink<value> out);
    bool each_pair(const node* left, const node* right, link* env, const value& in, sink<value> out, const node* n);
    bool each_logic(const node* n, link* env, const value& in, sink<value> out);
    bool each_object(const node* n, std::size_t index, link* env, const value& in, const value& made, sink<value> out);
    bool each_text(const node* n, std::size_t index, link* env, const value& in, const std::string& made, sink<value> out);
    bool each_native(const node* n, std::size_t index, link* env, const value& in, std::vector<value>& arguments, sink<value> out);
    bool each_range(const node* n, link* env, const value& in, sink<value> out);
    bool range(const value& from, const value& upto, const value& by, sink<value> out);
    bool append_part(const node* n, const value& part, std::string& out);
    bool object_entry(const value& key, value item, value& made);
    bool matches(const pattern& p, const value& v, const destructuring& d, sink<bool> next);
    bool matches_member(const pattern& p, std::size_t index, const value& v, const destructuring& d, sink<bool> next);
    bool bind(const node* n, std::size_t alternative, link* env, const value& source, sink<link*> body);

    // updates.cpp
    value assign(const node* n, link* env, value in, const value& to);
    value update(const node* n, link* env, value in, const value* operand);
    bool plain_path(const node* n, link* env, const value& in, std::vector<value>& keys);
    bool change_at(const node* n, link* env, value& root, const std::vector<value>& keys, const value* operand);
    value remove(const node* n, link* env, const value& in);
    bool changed(const node* n, link* env, const value& old, const value* operand, value& now);
    bool each_path(const node* n, link* env, const value& in, sink<located> out);

    template <class T>
    T step_to(const node* n, T target, const value& key, bool& ok);
    bool whole_path(const located& at);

    const program::compiled& code_;
    std::span<const json::value* const> globals_;
    limits bounds_;
    budget budget_;
    links links_;
    enum signal signal_ = signal::none;
    value payload_;
    std::string limit_message_;
    std::uint64_t broken_label_ = 0;
    std::uint64_t labels_ = 0;
    std::size_t depth_ = 0;
    const node* current_ = nullptr;
};

// Operations on values, shared by the machine and the natives. Each returns invalid after machine::fail.
value calculate(machine& m, operation o, value a, value b);                ///< numbers.cpp
value negate(machine& m, const value& v);                                  ///< numbers.cpp
value get(machine& m, const value& target, const value& key);              ///< paths.cpp
value get_field(machine& m, const value& target, std::string_view key);    ///< paths.cpp
value slice(machine& m, const value& target, const value& from, const value& to);       ///< paths.cpp
value get_path(machine& m, value target, const value& path);               ///< paths.cpp
value set_path(machine& m, value target, const value& path, value to);     ///< paths.cpp
value delete_paths(machine& m, value target, const value& paths);          ///< paths.cpp
/// The place of `key` in `target`, made when missing; null after an error or for a slice.
value* place(machine& m, value& target, const value& key);                 ///< paths.cpp
value format_value(machine& m, text_format format, const value& v);        ///< formats.cpp
std::string too_long_text(const limits& bounds);                           ///< machine.cpp: the message of the limit on strings
/// Compact JSON, unfinished once it has `enough` bytes: what is written out may be far longer than the value, whose parts can be shared (text.cpp).
std::string to_text(const value& v, std::size_t enough);
void append_text(std::string& out, const value& v, std::size_t enough);    ///< text.cpp
std::string to_plain(const value& v, std::size_t enough);                  ///< text.cpp: strings as they are
std::string excerpt(const value& v);                                       ///< text.cpp: for messages, at most 29 bytes
std::string described(const value& v);                                     ///< "number (5)"
value parse_text(machine& m, std::string_view text);                       ///< parse_text.cpp
value ordered(machine& m, ordering o, const value& in, const std::vector<value>& keys);  ///< ordering.cpp
value sort_values(machine& m, const value& in);

}  // namespace pawl::expr
