#include "schema/library.hpp"

#include "schema/meta_schemas.hpp"
#include "schema/number.hpp"
#include "schema/uri.hpp"

#include "base/suggest.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace pawl::schema {
namespace {

constexpr std::size_t max_depth = 256;
constexpr std::size_t max_subschemas = 200'000;
constexpr std::size_t max_documents = 256;

constexpr std::array<std::string_view, 6> maps_of_schemas{"$defs", "definitions", "properties", "patternProperties", "dependentSchemas", "dependencies"};
constexpr std::array<std::string_view, 4> arrays_of_schemas{"allOf", "anyOf", "oneOf", "prefixItems"};
constexpr std::array<std::string_view, 11> single_schemas{"items", "contains", "not", "if", "then", "else", "additionalProperties",
                                                          "propertyNames", "unevaluatedItems", "unevaluatedProperties", "contentSchema"};

std::string_view view(const json::string& s) noexcept { return {s.data(), s.size()}; }

std::string unescape_token(std::string_view token) {
    std::string out;
    for (std::size_t i = 0; i < token.size(); ++i) {
        if (token[i] == '~' && i + 1 < token.size() && (token[i + 1] == '0' || token[i + 1] == '1')) out += token[++i] == '0' ? '~' : '/';
        else out += token[i];
    }
    return out;
}

const json::value* child_at(const json::value& parent, const std::string& token) {
    if (const auto* object = parent.if_object()) return object->if_contains(token);
    const auto* array = parent.if_array();
    std::size_t index = 0;
    if (!array || token.empty() || (token.size() > 1 && token[0] == '0')) return nullptr;
    const auto read = std::from_chars(token.data(), token.data() + token.size(), index);
    return read.ec == std::errc() && read.ptr == token.data() + token.size() ? array->if_contains(index) : nullptr;
}

bool is_anchor_name(std::string_view name) noexcept {
    const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
    if (name.empty() || !letter(name[0])) return false;
    for (const char c : name) {
        if (!letter(c) && !(c >= '0' && c <= '9') && c != '-' && c != '.') return false;
    }
    return true;
}

}  // namespace

void library::fail(std::string_view location, std::string message) {
    if (!error_) error_ = compile_error{std::string(location), std::move(message)};
}

std::uint32_t library::add_resource(std::string uri, const json::value* root, const dialect& rules) {
    resources_.push_back({std::move(uri), root, rules, {}, {}});
    return static_cast<std::uint32_t>(resources_.size() - 1);
}

void library::open_main(const json::value& schema) {
    const auto uri = resolve_uri({}, options_.base_uri);
    const auto main = add_resource(uri, &schema, {});
    by_uri_.emplace(uri, main);
    index({&schema, main, "", 0});
}

void library::index(visit first) {
    std::vector<visit> open;
    open.push_back(std::move(first));
    while (!open.empty() && !error_) {
        const visit at = std::move(open.back());
        open.pop_back();
        index_one(at, open);
    }
}

void library::index_one(const visit& from, std::vector<visit>& open) {
    if (standings_.size() >= max_subschemas) return fail(from.location, "has more than 200000 subschemas");
    if (from.depth > max_depth) return fail(from.location, "is nested more than 256 schemas deep");
    visit at = from;
    if (const auto* object = at.schema->if_object()) {
        enter_resource(*object, at);
        add_anchor(*object, at, "$anchor");
        add_anchor(*object, at, "$dynamicAnchor");
        push_children(*object, at, open);
    }
    standings_.emplace(at.schema, standing{at.resource, std::move(at.location)});
}

void library::enter_resource(const json::object& schema, visit& at) {
    const bool is_root = resources_[at.resource].root == at.schema;
    if (const auto* id = schema.if_contains("$id")) {
        const auto* text = id->if_string();
        if (!text) return fail(at.location + "/$id", "must be a string");
        const auto [part, fragment] = split_fragment(view(*text));
        if (!fragment.empty()) return fail(at.location + "/$id", "must have no fragment; use `$anchor` for a name within the document");
        auto uri = resolve_uri(resources_[at.resource].uri, part);
        if (is_root) {
            resources_[at.resource].uri = uri;
        } else {
            const dialect rules = resources_[at.resource].rules;
            at.resource = add_resource(uri, at.schema, rules);
        }
        const auto [known, added] = by_uri_.emplace(uri, at.resource);
        // The same document may be had under two addresses; then its parts are equal, and the first one serves.
        if (!added && known->second != at.resource && !part.empty() && !equal(*resources_[known->second].root, *at.schema)) {
            return fail(at.location + "/$id", "names `" + uri + "`, which another schema has already");
        }
    }
    if (const auto* meta = schema.if_contains("$schema"); meta && resources_[at.resource].root == at.schema) {
        const auto* text = meta->if_string();
        if (!text) return fail(at.location + "/$schema", "must be a string");
        const auto rules = dialect_of(std::string(split_fragment(view(*text)).first), at.location + "/$schema");
        resources_[at.resource].rules = rules;
    }
}

void library::add_anchor(const json::object& schema, const visit& at, std::string_view keyword) {
    const auto* anchor = schema.if_contains(keyword);
    if (!anchor) return;
    const auto place = at.location + "/" + std::string(keyword);
    const auto* text = anchor->if_string();
    if (!text || !is_anchor_name(view(*text))) return fail(place, "must be a name of letters, digits, `-`, `_` and `.` that starts with a letter or `_`");
    auto& own = resources_[at.resource];
    const auto [known, added] = own.anchors.emplace(view(*text), at.schema);
    if (!added && known->second != at.schema) return fail(place, "names the anchor `" + std::string(view(*text)) + "`, which another subschema has already");
    if (keyword == "$dynamicAnchor") own.dynamic_anchors.emplace(view(*text));
}

void library::push_children(const json::object& schema, const visit& at, std::vector<visit>& open) {
    const auto push = [&](const json::value& child, std::string location) { open.push_back({&child, at.resource, std::move(location), at.depth + 1}); };
    for (const auto name : maps_of_schemas) {
        const auto* found = schema.if_contains(name);
        if (!found || !found->is_object()) continue;
        for (const auto& [key, child] : found->get_object()) {
            if (child.is_object() || child.is_bool()) push(child, at.location + "/" + std::string(name) + "/" + pointer_token(key));
        }
    }
    for (const auto name : arrays_of_schemas) {
        const auto* found = schema.if_contains(name);
        if (!found || !found->is_array()) continue;
        for (std::size_t i = 0; i < found->get_array().size(); ++i) {
            push(found->get_array()[i], at.location + "/" + std::string(name) + "/" + std::to_string(i));
        }
    }
    for (const auto name : single_schemas) {
        if (const auto* found = schema.if_contains(name)) push(*found, at.location + "/" + std::string(name));
    }
}

dialect library::dialect_of(const std::string& meta_uri, const std::string& location) {
    if (meta_uri == draft_uri) return {};
    constexpr std::string_view advice = "; this engine reads draft 2020-12: " "\"https://json-schema.org/draft/2020-12/schema\"";
    if (meta_uri.find("json-schema.org/draft") != std::string::npos && !built_in_schema(meta_uri)) {
        fail(location, "names a draft that is not supported" + std::string(advice));
        return {};
    }
    if (!dialects_being_read_.insert(meta_uri).second) return {};
    const auto* document = open_document(meta_uri, location);
    dialects_being_read_.erase(meta_uri);
    if (!document) return {};
    dialect out;
    const auto* object = document->if_object();
    const auto* vocabulary = object ? object->if_contains("$vocabulary") : nullptr;
    if (vocabulary && vocabulary->is_object()) read_vocabulary(vocabulary->get_object(), location, out);
    return out;
}

void library::read_vocabulary(const json::object& vocabulary, const std::string& location, dialect& out) {
    out = {false, false, false, false};
    constexpr std::array<std::string_view, 7> known{"core", "applicator", "unevaluated", "validation", "meta-data", "format-annotation", "content"};
    for (const auto& [uri, required] : vocabulary) {
        std::string_view name(uri.data(), uri.size());
        const bool ours = name.starts_with(vocabulary_base);
        if (ours) name.remove_prefix(vocabulary_base.size());
        if (ours && name == "applicator") out.applicator = true;
        else if (ours && name == "unevaluated") out.unevaluated = true;
        else if (ours && name == "validation") out.validation = true;
        else if (ours && name == "format-assertion") out.format_assertion = true;
        else if ((!ours || std::find(known.begin(), known.end(), name) == known.end()) && required == json::value(true)) {
            return fail(location, "requires the vocabulary `" + std::string(uri) + "`, which this engine does not know");
        }
    }
}

const json::value* library::open_document(const std::string& uri, std::string_view location) {
    if (const auto known = by_uri_.find(uri); known != by_uri_.end()) return resources_[known->second].root;
    if (documents_.size() >= max_documents) {
        fail(location, "needs more than 256 other documents");
        return nullptr;
    }
    std::optional<json::value> fetched;
    if (const auto text = built_in_schema(uri)) {
        fetched = json::parse(*text);
    } else if (options_.resolve) {
        fetched = options_.resolve(uri);
    }
    if (!fetched) {
        const std::string why = is_absolute_uri(uri) ? "no schema with that identifier is in this document, and none could be fetched"
                                                     : "the reference is relative, and no schema in this document has that `$id`";
        fail(location, "refers to `" + uri + "`, which cannot be found: " + why);
        return nullptr;
    }
    documents_.push_back(std::make_unique<const json::value>(std::move(*fetched)));
    const auto* root = documents_.back().get();
    const auto added = add_resource(uri, root, {});
    by_uri_.emplace(uri, added);
    index({root, added, uri + "#", 0});
    return error_ ? nullptr : root;
}

const json::value* library::find(const std::string& reference, const standing& from) {
    const auto fragment = percent_decode(split_fragment(reference).second);
    const auto uri = resolve_uri(resources_[from.resource].uri, reference);
    if (!open_document(uri, from.location)) return nullptr;
    const auto target = by_uri_.at(uri);
    if (fragment.empty()) return resources_[target].root;
    if (fragment[0] == '/') return follow_pointer(target, fragment, reference, from.location);
    const auto& anchors = resources_[target].anchors;
    if (const auto found = anchors.find(fragment); found != anchors.end()) return found->second;
    std::vector<std::string> names;
    for (const auto& [name, schema] : anchors) names.push_back(name);
    const auto near = closest(fragment, names);
    fail(from.location, "refers to `" + reference + "`, but there is no such anchor" + (near ? "; did you mean `#" + *near + "`?" : std::string()));
    return nullptr;
}

const json::value* library::follow_pointer(std::uint32_t resource, const std::string& pointer, const std::string& reference, std::string_view location) {
    const auto* at = resources_[resource].root;
    standing nearest = standings_.at(at);
    std::string_view rest = pointer;
    while (!rest.empty()) {
        rest.remove_prefix(1);
        const auto end = rest.find('/');
        const auto token = unescape_token(rest.substr(0, end));
        const auto* next = child_at(*at, token);
        if (!next) {
            std::vector<std::string> names;
            if (const auto* object = at->if_object()) {
                for (const auto& [name, value] : *object) names.emplace_back(name);
            }
            const auto near = closest(token, names);
            fail(location, "refers to `" + reference + "`, but there is no `" + token + "`" + (near ? "; did you mean `" + *near + "`?" : std::string()));
            return nullptr;
        }
        at = next;
        nearest.location += "/" + pointer_token(token);
        if (const auto known = standings_.find(at); known != standings_.end()) nearest = known->second;
        rest = end == std::string_view::npos ? std::string_view() : rest.substr(end);
    }
    // A target inside a keyword that holds no schemas, as far as we know: from now on it is one.
    if (!standings_.contains(at)) index({at, nearest.resource, nearest.location, 0});
    return error_ ? nullptr : at;
}

}  // namespace pawl::schema
