// setpath, delpaths and what searches arrays and strings.
#include "expr/builtins.hpp"
#include "expr/machine.hpp"

namespace pawl::expr {

value find_text(machine& m, std::string_view text, std::string_view wanted);  // natives_text.cpp

namespace {

value setpath(machine& m, value in, value* a) { return set_path(m, std::move(in), a[0], a[1]); }
value delpaths(machine& m, value in, value* a) { return delete_paths(m, std::move(in), a[0]); }

value strindices(machine& m, value in, value* a) {
    if (!in.is_string()) return m.fail(described(in) + " cannot be searched, as it is not a string");
    if (!a[0].is_string()) return m.fail(described(a[0]) + " is not a string");
    return find_text(m, in.text(), a[0].text());
}

value indices(machine& m, value in, value* a) {
    if (in.is_null()) return {};
    if (in.is_string() && a[0].is_string()) return find_text(m, in.text(), a[0].text());
    if (in.is_array() && a[0].is_array()) return get(m, in, a[0]);
    return get(m, in, m.array({a[0]}));
}

constexpr native_entry table[] = {{"setpath", 2, setpath}, {"delpaths", 1, delpaths}, {"_strindices", 1, strindices}, {"indices", 1, indices}};

}  // namespace

std::span<const native_entry> path_natives() noexcept { return table; }

}  // namespace pawl::expr
