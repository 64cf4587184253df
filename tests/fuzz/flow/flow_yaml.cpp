// Any bytes as YAML: a document whose every value has a place, or one problem with a place in the text. What was read is read again from its own JSON.
#include "flow/yaml.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

using namespace pawl;

namespace {

void check_places(const flow::yaml_document& document, const json::value& value, const std::string& pointer, std::size_t& budget) {
    if (budget == 0) return;
    --budget;
    const auto mark = document.mark_of(pointer);
    if (mark.line == 0 || mark.column == 0) std::abort();
    if (const auto* object = value.if_object()) {
        for (const auto& [key, member] : *object) check_places(document, member, pointer + "/" + pointer_token(key), budget);
    } else if (const auto* array = value.if_array()) {
        for (std::size_t i = 0; i < array->size(); ++i) check_places(document, (*array)[i], pointer + "/" + std::to_string(i), budget);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto read = flow::read_yaml(text, "fuzz.yaml");
    if (read.has_error()) {
        const auto problem = read.error();
        if (problem.message.empty() || problem.code.empty() || render(problem, text).empty()) std::abort();
        return 0;
    }
    std::size_t budget = 500;
    check_places(*read, read->value, "", budget);
    const auto again = flow::read_yaml(to_text(read->value), "again.yaml");
    if (again.has_value() && to_canonical_text(again->value) != to_canonical_text(read->value)) std::abort();
    return 0;
}
