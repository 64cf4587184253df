// Any bytes as a program, as a template, and as an escaped text: they compile, or end in one error with a place inside the text.
#include "expr/template.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

using namespace pawl;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    static const std::vector<std::string> names{"context", "steps"};
    const auto compiled = expr::program::compile(text, names);
    if (!compiled && (compiled.error().message.empty() || compiled.error().offset > text.size())) std::abort();
    if (compiled && compiled->text() != text) std::abort();
    if (const auto whole = expr::whole_expression(text); whole && whole->offset + whole->text.size() > text.size()) std::abort();
    const auto filled = expr::value_template::compile(json::value{{"a", text}}, names, expr::template_mode::loose);
    if (!filled && filled.error().empty()) std::abort();
    return 0;
}
