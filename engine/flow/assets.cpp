// Files that a call refers to: prompts under `system` and `prompt`. Their text becomes part of the compiled workflow.
#include "flow/parts.hpp"

namespace pawl::flow {
namespace {

constexpr std::size_t largest_asset = 4 * 1024 * 1024;

void pin_file(compilation& c, const node& file) {
    if (!expect_string(c, file, "`file: prompts/classify.md`")) return;
    const std::string path(file.text());
    if (path.find("${") != std::string::npos) {
        c.report.error("bad-file", file, "the path of a prompt must be constant, because its text is pinned when the workflow is compiled",
                       "choose among prompts with a `switch`, or pass parts of the text in `values`");
        return;
    }
    if (c.out.assets.contains(path)) return;
    if (!c.options.read_asset) {
        c.report.error("missing-file", file, "the file " + quoted(path) + " cannot be read here: no project folder is known");
        return;
    }
    auto text = c.options.read_asset(path);
    if (text.has_error()) {
        c.report.error("missing-file", file, "the file " + quoted(path) + " cannot be read: " + text.error().detail,
                       "the path is relative to the folder of the workflow");
        return;
    }
    if (text->size() > largest_asset) {
        c.report.error(
            "too-large", file,
            "the file " + quoted(path) + " has " + std::to_string(text->size()) + " bytes, more than the limit of " + std::to_string(largest_asset));
        return;
    }
    c.out.assets.emplace(path, std::move(*text));
}

}  // namespace

void pin_assets(compilation& c, const node& n) {
    if (n.is_object()) {
        for (const auto& member : n.value->get_object()) {
            const auto value = n.at(member.key());
            if ((member.key() == "system" || member.key() == "prompt") && value.is_object() && value.at("file")) pin_file(c, value.at("file"));
            pin_assets(c, value);
        }
    } else if (n.is_array()) {
        for (std::size_t i = 0; i < n.value->get_array().size(); ++i) pin_assets(c, n.at(i));
    }
}

}  // namespace pawl::flow
