#include "cli/documents.hpp"

#include "agent/files.hpp"
#include "cli/console.hpp"
#include "cli/workflow_finder.hpp"

#include <filesystem>
#include <iostream>
#include <iterator>

namespace pawl::cli {
namespace {

constexpr std::size_t max_input_bytes = 64 * 1024 * 1024;

result<std::string> read_standard_input() {
    std::string out;
    char block[64 * 1024];
    while (std::cin.read(block, sizeof block) || std::cin.gcount() > 0) {
        out.append(block, static_cast<std::size_t>(std::cin.gcount()));
        if (out.size() > max_input_bytes) return make_problem(problem_type::configuration, "the input on standard input is larger than 64 MiB");
    }
    return {boost::system::in_place_value, std::move(out)};
}

std::string shown(const std::string& path) {
    std::error_code ec;
    const auto relative = std::filesystem::proximate(path, std::filesystem::current_path(ec), ec).string();
    return ec || relative.starts_with("..") ? path : relative;
}

}  // namespace

result<json::value> read_input(const std::string& argument) {
    if (argument.empty()) return json::value(json::object());
    std::string where = "--input";
    std::string text = argument;
    if (argument == "-" || argument.front() == '@') {
        where = argument == "-" ? "standard input" : argument.substr(1);
        auto read = argument == "-" ? read_standard_input() : agent::read_text_file(argument.substr(1), max_input_bytes);
        if (read.has_error()) return read.error();
        text = std::move(*read);
    }
    auto parsed = parse_json(text);
    if (parsed.has_error()) return make_problem(problem_type::configuration, where + " is not JSON: " + parsed.error().detail);
    return std::move(*parsed);
}

result<loaded_flow> load_flow(const std::string& path, const std::vector<function_description>& functions, const json::value* agent_state_schema, bool portable, workflow_finder* finder) {
    std::error_code ec;
    const auto absolute = std::filesystem::weakly_canonical(path, ec);
    auto text = agent::read_text_file(path);
    if (text.has_error()) return text.error();
    loaded_flow out;
    out.path = absolute.string();
    out.source = std::move(*text);
    flow::compile_options options;
    out.shown = shown(out.path);
    options.file = out.shown;
    options.portable = portable;
    options.functions = functions;
    options.agent_state_schema = agent_state_schema;
    options.read_asset = [folder = absolute.parent_path()](std::string_view named) { return agent::read_text_file((folder / named).lexically_normal().string()); };
    if (finder != nullptr) {
        options.read_url = finder->from_network();
        options.find_workflow = [finder, from = out.path](std::string_view ns, std::string_view name, std::string_view version) {
            return finder->find(from, ns, name, version);
        };
    }
    out.compiled = flow::compile(out.source, options);
    return out;
}

result<std::shared_ptr<const flow::workflow>> load_flow_to_run(const std::string& path, const std::vector<function_description>& functions,
                                                               const json::value* agent_state_schema, workflow_finder* finder) {
    auto loaded = load_flow(path, functions, agent_state_schema, false, finder);
    if (loaded.has_error()) return loaded.error();
    if (!loaded->compiled.compiled) {
        return make_problem(problem_type::configuration, path + " cannot be run\n" + render_all(loaded->compiled.diagnostics, loaded->source));
    }
    if (!loaded->compiled.diagnostics.empty()) print_err(render_all(loaded->compiled.diagnostics, loaded->source) + "\n");
    return loaded->compiled.compiled;
}

}  // namespace pawl::cli
