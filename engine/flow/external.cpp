// What a definition refers to outside of itself: schemas, documents and functions at a path or URL (dsl-reference.md, "External Resource", "Catalog").
// Everything is read once, when the workflow is compiled, and pinned: a stored definition never asks for it again.
#include "flow/functions.hpp"
#include "flow/parts.hpp"

#include <boost/url/parse.hpp>
#include <boost/url/url.hpp>

#include <algorithm>
#include <filesystem>

namespace pawl::flow {
namespace {

constexpr std::size_t largest_external = 4 * 1024 * 1024;
constexpr std::size_t most_externals = 200;

bool is_url(std::string_view text) { return text.starts_with("https://") || text.starts_with("http://"); }

std::vector<std::string> segments_of(std::string_view path) {
    std::vector<std::string> out;
    for (std::size_t at = 0; at <= path.size();) {
        const auto end = std::min(path.find('/', at), path.size());
        out.emplace_back(path.substr(at, end - at));
        at = end + 1;
    }
    return out;
}

std::string joined(const std::vector<std::string>& parts, std::size_t from) {
    std::string out;
    for (std::size_t i = from; i < parts.size(); ++i) out += "/" + parts[i];
    return out;
}

/// dsl.md, "File Structure": the page of a file in a repository stands for the file itself.
std::string raw_location(std::string url) {
    constexpr std::string_view github = "https://github.com/", gitlab = "https://gitlab.com/";
    if (url.starts_with(gitlab)) {
        for (const std::string_view page : {"/-/tree/", "/-/blob/"}) {
            if (const auto at = url.find(page); at != std::string::npos) return url.replace(at, page.size(), "/-/raw/");
        }
        return url;
    }
    if (!url.starts_with(github)) return url;
    auto parts = segments_of(std::string_view(url).substr(github.size()));
    if (parts.size() < 3 || parts[2] == "raw") return url;
    const auto raw = "https://raw.githubusercontent.com/" + parts[0] + "/" + parts[1];
    if (parts[2] == "tree" || parts[2] == "blob") return parts.size() > 4 ? raw + "/refs/heads" + joined(parts, 3) : url;
    // A function named by its folder and a tag: OWNER/REPOSITORY/FOLDER@v1.0.0
    auto& last = parts.back();
    if (const auto at = last.rfind('@'); at != std::string::npos && at + 1 < last.size()) {
        const auto tag = last.substr(at + 1);
        last.resize(at);
        return raw + "/" + tag + joined(parts, 2) + "/function.yaml";
    }
    return raw + "/HEAD" + joined(parts, 2);
}

std::string file_path(std::string_view reference) {
    if (!reference.starts_with("file:")) return std::string(reference);
    reference.remove_prefix(5);
    if (reference.starts_with("//")) reference.remove_prefix(2);
    return std::string(reference);
}

std::string hint_for(const std::string& name) {
    return is_url(name) ? "it is read once, when the workflow is checked or started, and kept with the definition; `egress` in pawl.yaml can lead to another server"
                        : "the path is relative to the folder of the file that names it";
}

/// What the compiler was given to read with; an error says what is missing.
result<std::string> read_from(compilation& c, const std::string& name, const json::value& authentication) {
    const auto missing = [](std::string why) { return make_problem(problem_type::configuration, std::move(why)); };
    if (c.rebuild || !is_url(name)) {
        if (!c.options.read_asset) return missing("no project folder is known here.");
        return c.options.read_asset(name);
    }
    if (!c.options.read_url) return missing("nothing is read from the network here.");
    return c.options.read_url(name, authentication);
}

std::optional<external_text> read_and_pin(compilation& c, const node& where, std::string name, const json::value& authentication, std::string_view what) {
    if (const auto known = c.out.assets.find(name); known != c.out.assets.end()) return external_text{name, known->second};
    const auto complain = [&](std::string code, const std::string& why) {
        c.report.error(std::move(code), where, std::string(what) + " " + flow::quoted(name) + " cannot be read: " + why, hint_for(name));
        return std::nullopt;
    };
    if (c.failed_externals.contains(name)) return std::nullopt;
    if (c.externals_read >= most_externals) return complain("too-large", "a workflow may refer to " + std::to_string(most_externals) + " files at most.");
    ++c.externals_read;
    auto text = read_from(c, name, authentication);
    if (text.has_error() || text->size() > largest_external) {
        c.failed_externals.insert(name);
        if (text.has_error()) return complain("missing-file", text.error().detail);
        return complain("too-large", "it has " + std::to_string(text->size()) + " bytes, more than the limit of " + std::to_string(largest_external) + ".");
    }
    c.out.assets[name] = *text;
    return external_text{std::move(name), std::move(*text)};
}

/// The task that a function's file holds, grafted into the definition as an entry of `use.functions`.
node graft_function(compilation& c, const node& call, const external_text& file) {
    const auto pointer = "/use/functions/" + pointer_token(file.name);
    if (const auto known = c.external_functions.find(file.name); known != c.external_functions.end()) return {&known->second->value, pointer};
    auto read = read_yaml(file.text, file.name);
    if (read.has_error()) {
        c.report.error("yaml-syntax", call, "the function " + flow::quoted(file.name) + " is not readable: " + render(read.error()));
        return {};
    }
    auto document = std::make_shared<const yaml_document>(std::move(*read));
    if (!document->value.is_object()) {
        c.report.error("wrong-type", call, "the function " + flow::quoted(file.name) + " must be a task, but is " + std::string(describe(document->value)),
                       "a function's file holds one task: `input`, `output` and what it does, such as `call` or `do`");
        return {};
    }
    c.report.graft(pointer, document, file.name, call.pointer);
    c.external_functions.emplace(file.name, document);
    return {&document->value, pointer};
}

bool is_part_of_a_path(std::string_view text) {
    return !text.empty() && text != "." && text != ".." && std::all_of(text.begin(), text.end(), [](unsigned char ch) {
        return std::isalnum(ch) != 0 || std::string_view("-._+").find(static_cast<char>(ch)) != std::string_view::npos;
    });
}

}  // namespace

std::string resolve_reference(std::string_view base, std::string_view reference) {
    if (is_url(reference)) return raw_location(std::string(reference));
    if (reference.starts_with("file:")) return std::filesystem::path(file_path(reference)).lexically_normal().string();
    if (is_url(base)) {
        const auto from = boost::urls::parse_uri(boost::urls::string_view(base.data(), base.size()));
        const auto to = boost::urls::parse_uri_reference(boost::urls::string_view(reference.data(), reference.size()));
        boost::urls::url out;
        if (from && to && boost::urls::resolve(*from, *to, out)) return std::string(out.buffer());
    }
    return (std::filesystem::path(base).parent_path() / std::filesystem::path(reference)).lexically_normal().string();
}

bool is_reference(std::string_view call) {
    if (call.find("://") != std::string_view::npos || call.starts_with("file:")) return true;
    if (call.starts_with("./") || call.starts_with("../") || call.starts_with('/')) return true;
    return call.find('/') != std::string_view::npos && (call.ends_with(".yaml") || call.ends_with(".yml") || call.ends_with(".json"));
}

std::optional<external_text> read_external(compilation& c, const node& endpoint, std::string_view what) {
    auto uri = endpoint;
    json::value authentication;
    if (endpoint.is_object()) {
        check_keys(c, endpoint, {"uri", "authentication"});
        uri = require(c, endpoint, "uri", "it says where " + std::string(what) + " is");
        if (const auto given = endpoint.at("authentication")) {
            const auto policy = authentication_policy(c, given);
            if (!policy) return std::nullopt;
            authentication = *policy.value;
        }
    }
    if (!uri || !expect_string(c, uri)) return std::nullopt;
    if (uri.text().find("${") != std::string_view::npos || uri.text().find('{') != std::string_view::npos) {
        c.report.error("bad-file", uri, "where " + std::string(what) + " is must be constant, because it is read when the workflow is compiled");
        return std::nullopt;
    }
    return read_and_pin(c, uri, resolve_reference(c.base, uri.text()), authentication, what);
}

node function_by_reference(compilation& c, const node& call) {
    const auto file = read_and_pin(c, call, resolve_reference(c.base, call.text()), nullptr, "the function");
    return file ? graft_function(c, call, *file) : node{};
}

node function_of_catalog(compilation& c, const node& call, const node& catalog) {
    const auto asked = parse_reference(call.text());
    c.referenced.insert(catalog.pointer);
    if (!is_part_of_a_path(asked.name) || !is_part_of_a_path(asked.version)) {
        c.report.error("bad-name", call, "a function of a catalog is named by its name and its version, but this is " + flow::quoted(call.text()),
                       "write for example `call: log:1.0.0@" + asked.catalog + "`");
        return {};
    }
    const auto endpoint = catalog.at("endpoint");
    const auto uri = endpoint.is_object() ? endpoint.at("uri") : endpoint;
    json::value authentication;
    if (const auto policy = authentication_policy(c, endpoint.is_object() ? endpoint.at("authentication") : node{})) authentication = *policy.value;
    if (!uri.is_string()) return {};  // reported where it stands
    auto root = std::string(uri.text());
    while (root.ends_with('/')) root.pop_back();
    const auto name = resolve_reference("", root + "/functions/" + asked.name + "/" + asked.version + "/function.yaml");
    const auto file = read_and_pin(c, call, name, authentication, "the function " + flow::quoted(call.text()) + " at");
    return file ? graft_function(c, call, *file) : node{};
}

void check_catalogs(compilation& c) {
    const auto catalogs = c.use.at("catalogs");
    if (!catalogs || !expect_object(c, catalogs)) return;
    for (const auto& member : catalogs.value->get_object()) {
        const auto catalog = catalogs.at(member.key());
        if (!expect_object(c, catalog)) continue;
        check_keys(c, catalog, {"endpoint"});
        auto endpoint = require(c, catalog, "endpoint", "it is the root of the catalog");
        if (!endpoint) continue;
        if (endpoint.is_object()) {
            check_keys(c, endpoint, {"uri", "authentication"});
            authentication_policy(c, endpoint.at("authentication"));
            endpoint = require(c, endpoint, "uri", "it is the root of the catalog");
        }
        if (endpoint && expect_string(c, endpoint, "`endpoint: https://github.com/owner/catalog/tree/main`") && endpoint.text().find("${") != std::string_view::npos)
            c.report.error("bad-file", endpoint, "where a catalog is must be constant, because its functions are read when the workflow is compiled");
    }
}

}  // namespace pawl::flow
