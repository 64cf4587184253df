#include "tool/host_program/by_hand.hpp"

#include "base/ids.hpp"
#include "base/visible.hpp"
#include "tool/host.hpp"

#include <cstdlib>
#include <future>
#include <iostream>

namespace pawl::tool {
namespace {

int complain(const problem& why) {
    std::cerr << "pawl-tool-host: " << visible(why.detail) << "\n";
    return 1;
}

result<tool_call> prepare(const plugin_file& file, const std::string& tool, const std::string& input) {
    const auto* known = file.manifest.find(tool);
    if (known == nullptr) return make_problem(problem_type::configuration, "The plugin " + file.manifest.name + " has no tool `" + tool + "`; `show` lists its tools.");
    const auto value = parse_json(input);
    if (!value) return make_problem(problem_type::validation, "The input is not JSON: " + value.error().detail);
    if (const auto wrong = known->input.validate(*value); !wrong.empty()) return schema::to_problem(wrong, "the input");
    tool_call call;
    call.tool = tool;
    call.input = to_text(*value);
    call.key = new_uuid7();
    for (const auto& name : file.manifest.secrets) {
        const auto* found = std::getenv(name.c_str());
        if (found == nullptr) return make_problem(problem_type::authorization, "The plugin needs the secret `" + name + "`: set the environment variable.");
        call.secrets.emplace(name, found);
    }
    return call;
}

}  // namespace

int show_by_hand(const std::string& plugin) {
    const auto file = read_plugin_file(plugin);
    if (!file) return complain(file.error());
    json::array tools;
    for (const auto& each : file->manifest.tools) {
        tools.push_back(json::object{{"name", file->manifest.name + "." + each.name},
                                     {"version", each.version},
                                     {"summary", each.summary},
                                     {"safety", to_string(each.safety)},
                                     {"input", each.input_schema},
                                     {"output", each.output_schema}});
    }
    std::cout << to_pretty_text(json::object{{"name", file->manifest.name},
                                             {"version", file->manifest.version},
                                             {"summary", file->manifest.summary},
                                             {"sha256", file->sha256},
                                             {"secrets", json::value_from(file->manifest.secrets)},
                                             {"tools", std::move(tools)}})
              << "\n";
    return 0;
}

int call_by_hand(const std::string& plugin, const std::string& tool, const std::string& input, const std::string& config_text) {
    const auto file = read_plugin_file(plugin);
    if (!file) return complain(file.error());
    const auto config = parse_json(config_text);
    if (!config || !config->is_object()) return complain(make_problem(problem_type::configuration, "The configuration is not a JSON object."));
    if (file->manifest.config) {
        if (const auto wrong = file->manifest.config->validate(*config); !wrong.empty()) return complain(schema::to_problem(wrong, "the configuration"));
    }
    auto call = prepare(*file, tool, input);
    if (!call) return complain(call.error());
    const auto say = [](log_level level, std::string_view, std::string_view line) { std::cerr << to_string(level) << ": " << visible_line(line) << "\n"; };
    auto host = make_in_process_host(*file, config->get_object(), host_options(), say);
    if (!host) return complain(host.error());
    std::promise<result<std::string>> answer;
    call_sink sink;
    sink.done = [&](result<std::string> outcome) { answer.set_value(std::move(outcome)); };
    sink.progress = [](std::string_view line) { std::cerr << visible_line(line) << "\n"; };
    (*host)->start(next_call_id(), std::move(*call), std::move(sink));
    const auto outcome = answer.get_future().get();
    if (!outcome) {
        std::cerr << visible(to_pretty_text(to_json(outcome.error()))) << "\n";
        return 2;
    }
    const auto value = parse_json(*outcome);
    if (!value) return complain(make_problem(problem_type::runtime, "The tool answered with text that is not JSON: " + value.error().detail));
    std::cout << visible(to_pretty_text(*value)) << "\n";
    return 0;
}

}  // namespace pawl::tool
