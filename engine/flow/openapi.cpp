#include "flow/openapi.hpp"

#include "base/json.hpp"
#include "base/problem.hpp"
#include "base/suggest.hpp"
#include "schema/uri.hpp"

#include <algorithm>
#include <array>

namespace pawl::flow {
namespace {

constexpr std::array<std::string_view, 8> methods{"get", "put", "post", "delete", "options", "head", "patch", "trace"};
constexpr int most_references = 16;

problem unusable(std::string detail) { return make_problem(problem_type::configuration, std::move(detail)); }

const json::object* object_at(const json::object& object, std::string_view key) {
    const auto* found = object.if_contains(key);
    return found != nullptr ? found->if_object() : nullptr;
}
const json::array* array_at(const json::object& object, std::string_view key) {
    const auto* found = object.if_contains(key);
    return found != nullptr ? found->if_array() : nullptr;
}
std::string text_at(const json::object& object, std::string_view key) {
    const auto* found = object.if_contains(key);
    return found != nullptr && found->is_string() ? std::string(found->get_string()) : std::string();
}
std::optional<bool> flag_at(const json::object& object, std::string_view key) {
    const auto* found = object.if_contains(key);
    return found != nullptr && found->is_bool() ? std::optional(found->get_bool()) : std::nullopt;
}

/// The object a value is, or leads to by `$ref` within the document.
const json::object* followed(const json::value& document, const json::value* value) {
    for (int i = 0; value != nullptr && i < most_references; ++i) {
        const auto* object = value->if_object();
        if (object == nullptr) return nullptr;
        const auto reference = text_at(*object, "$ref");
        if (reference.empty()) return object;
        if (!reference.starts_with('#')) return nullptr;
        boost::system::error_code missing;
        value = document.find_pointer(schema::percent_decode(std::string_view(reference).substr(1)), missing);
    }
    return nullptr;
}

/// Reads one operation out of its document.
class operation_reader {
public:
    operation_reader(const json::value& document, const json::object& root) : document_(document), root_(root), swagger_(!root.contains("openapi")) {}

    result<openapi_operation> read(const json::object& item, const json::object& operation, std::string path, std::string_view method) {
        openapi_operation out;
        out.id = text_at(operation, "operationId");
        out.path = std::move(path);
        out.method = std::string(method);
        for (auto& ch : out.method) ch = static_cast<char>(ch - 'a' + 'A');
        // The operation's parameters stand for those of its path with the same name and place.
        for (const auto* owner : {&operation, &item}) {
            const auto* list = array_at(*owner, "parameters");
            if (list == nullptr) continue;
            for (const auto& each : *list) {
                const auto* parameter = followed(&each);
                if (parameter == nullptr) return unusable("The operation `" + out.id + "` has a parameter that is not described in its document.");
                add_parameter(*parameter, out, operation);
            }
        }
        if (const auto* body = operation.if_contains("requestBody")) {
            if (const auto* described = followed(body)) add_body(*described, out);
        }
        if (out.body && out.body->media_type.empty()) {
            return unusable("The operation `" + out.id + "` takes its body neither as JSON, nor as a form, nor as text, and no other form can be sent.");
        }
        out.server = swagger_ ? swagger_server(operation) : server_of(item, operation);
        return out;
    }

private:
    const json::object* followed(const json::value* value) const { return flow::followed(document_, value); }

    json::value schema_in(const json::object& owner) const {
        const auto* found = owner.if_contains("schema");
        const auto* schema = found != nullptr ? followed(found) : nullptr;
        return schema != nullptr ? json::value(*schema) : json::value(json::object());
    }

    void add_parameter(const json::object& from, openapi_operation& out, const json::object& operation) {
        const auto in = text_at(from, "in"), name = text_at(from, "name");
        if (in == "body") {
            if (out.body) return;
            out.body = openapi_body{flag_at(from, "required").value_or(false), "application/json", false, name, schema_in(from)};
            return;
        }
        if (in == "formData") return add_form_field(from, out, operation);
        constexpr std::array<std::string_view, 4> places{"path", "query", "header", "cookie"};
        const auto place = std::find(places.begin(), places.end(), in);
        if (place == places.end() || name.empty()) return;
        openapi_parameter made;
        made.in = static_cast<openapi_parameter::place>(place - places.begin());
        made.name = name;
        made.required = flag_at(from, "required").value_or(in == "path");
        const bool simple = in == "path" || in == "header";
        made.style = simple ? "simple" : "form";
        if (swagger_) {
            made.schema = from;
            const auto format = text_at(from, "collectionFormat");
            made.explode = format == "multi";
            if (format == "ssv") made.style = "spaceDelimited";
            if (format == "tsv") made.style = "tabDelimited";
            if (format == "pipes") made.style = "pipeDelimited";
        } else {
            made.schema = schema_in(from);
            if (auto style = text_at(from, "style"); !style.empty()) made.style = std::move(style);
            made.explode = flag_at(from, "explode").value_or(made.style == "form");
            made.reserved = flag_at(from, "allowReserved").value_or(false);
            made.as_json = from.contains("content");
        }
        const auto same = [&](const openapi_parameter& p) { return p.name == made.name && p.in == made.in; };
        if (std::none_of(out.parameters.begin(), out.parameters.end(), same)) out.parameters.push_back(std::move(made));
    }

    void add_form_field(const json::object& from, openapi_operation& out, const json::object& operation) {
        if (!out.body) {
            out.body = openapi_body{false, "application/x-www-form-urlencoded", true, "", json::object{{"type", "object"}, {"properties", json::object()}, {"additionalProperties", false}}};
            const auto* consumes = array_at(operation, "consumes");
            if (consumes == nullptr) consumes = array_at(root_, "consumes");
            // A form of parts only: files and the like.
            if (consumes != nullptr && !consumes->empty() && std::find(consumes->begin(), consumes->end(), json::value("application/x-www-form-urlencoded")) == consumes->end()) {
                out.body->media_type.clear();
            }
        }
        if (text_at(from, "type") == "file") out.body->media_type.clear();
        auto& schema = out.body->schema.get_object();
        const auto name = text_at(from, "name");
        schema["properties"].get_object()[name] = from;
        if (flag_at(from, "required").value_or(false)) {
            auto& required = schema["required"];
            if (!required.is_array()) required = json::array();
            required.get_array().emplace_back(name);
            out.body->required = true;
        }
    }

    void add_body(const json::object& from, openapi_operation& out) {
        openapi_body made;
        made.required = flag_at(from, "required").value_or(false);
        const auto* content = object_at(from, "content");
        const auto take = [&](auto fits, bool form) {
            if (content == nullptr || !made.media_type.empty()) return;
            for (const auto& [type, media] : *content) {
                auto name = std::string(type.substr(0, type.find(';')));
                if (!fits(name)) continue;
                made.media_type = name == "*/*" || name == "application/*" ? "application/json" : std::string(type);
                made.form = form;
                if (const auto* described = media.if_object()) made.schema = schema_in(*described);
                return;
            }
        };
        take([](const std::string& t) { return t == "application/json" || t.ends_with("+json") || t == "*/*" || t == "application/*"; }, false);
        take([](const std::string& t) { return t == "application/x-www-form-urlencoded"; }, true);
        take([](const std::string& t) { return t.starts_with("text/") || t == "application/xml" || t == "application/octet-stream"; }, false);
        if (!made.schema.is_object()) made.schema = json::object();
        out.body = std::move(made);
    }

    std::string server_of(const json::object& item, const json::object& operation) const {
        for (const auto* owner : {&operation, &item, &root_}) {
            const auto* servers = array_at(*owner, "servers");
            if (servers == nullptr || servers->empty() || !servers->front().is_object()) continue;
            const auto& first = servers->front().get_object();
            auto url = text_at(first, "url");
            if (const auto* variables = object_at(first, "variables")) {
                for (const auto& [name, variable] : *variables) {
                    const auto slot = "{" + std::string(name) + "}";
                    const auto value = variable.is_object() ? text_at(variable.get_object(), "default") : std::string();
                    for (auto at = url.find(slot); at != std::string::npos; at = url.find(slot, at + value.size())) url.replace(at, slot.size(), value);
                }
            }
            return url;
        }
        return "/";
    }

    std::string swagger_server(const json::object& operation) const {
        const auto base = text_at(root_, "basePath"), host = text_at(root_, "host");
        if (host.empty()) return base.empty() ? "/" : base;
        const auto* schemes = array_at(operation, "schemes");
        if (schemes == nullptr) schemes = array_at(root_, "schemes");
        // Without schemes it is that of the document: a reference without one.
        if (schemes == nullptr || schemes->empty()) return "//" + host + base;
        const bool safe = std::find(schemes->begin(), schemes->end(), json::value("https")) != schemes->end();
        return (safe ? "https://" : "http://") + host + base;
    }

    const json::value& document_;
    const json::object& root_;
    bool swagger_;
};

template <class Visit>
void each_operation(const json::value& document, Visit visit) {
    const auto* root = document.if_object();
    const auto* paths = root != nullptr ? object_at(*root, "paths") : nullptr;
    if (paths == nullptr) return;
    for (const auto& [path, value] : *paths) {
        const auto* item = followed(document, &value);
        if (item == nullptr) continue;
        for (const auto method : methods) {
            if (const auto* operation = object_at(*item, method)) visit(std::string(path), *item, *operation, method);
        }
    }
}

/// The properties of a body that is made of single parameters; null when any name may be one.
const json::object* properties_of(const openapi_body& body) {
    const auto* schema = body.schema.if_object();
    return schema != nullptr ? object_at(*schema, "properties") : nullptr;
}

}  // namespace

std::vector<std::string> openapi_operation_ids(const json::value& document) {
    std::vector<std::string> out;
    each_operation(document, [&](const std::string&, const json::object&, const json::object& operation, std::string_view) {
        if (auto id = text_at(operation, "operationId"); !id.empty()) out.push_back(std::move(id));
    });
    return out;
}

result<openapi_operation> find_openapi_operation(const json::value& document, std::string_view operation_id) {
    const auto* root = document.if_object();
    const auto version = root == nullptr ? std::string() : text_at(*root, root->contains("openapi") ? "openapi" : "swagger");
    if (!version.starts_with("2.") && !version.starts_with("3.")) {
        return unusable("The document is not an OpenAPI document: it has neither `openapi: 3.x` nor `swagger: '2.0'`.");
    }
    std::optional<result<openapi_operation>> found;
    each_operation(document, [&](const std::string& path, const json::object& item, const json::object& operation, std::string_view method) {
        if (!found && text_at(operation, "operationId") == operation_id) found = operation_reader(document, *root).read(item, operation, path, method);
    });
    if (found) return *found;
    const auto ids = openapi_operation_ids(document);
    const auto near = closest(operation_id, ids);
    auto message = "The OpenAPI document has no operation `" + std::string(operation_id.substr(0, 100)) + "`";
    if (near) return unusable(message + "; did you mean `" + *near + "`?");
    message += ids.empty() ? ", and none of its operations has an `operationId`." : "; it has ";
    for (std::size_t i = 0; i < ids.size() && i < 8; ++i) message += (i > 0 ? ", `" : "`") + ids[i] + "`";
    if (!ids.empty()) message += ids.size() > 8 ? " and " + std::to_string(ids.size() - 8) + " more." : ".";
    return unusable(std::move(message));
}

std::vector<openapi_mistake> check_openapi_parameters(const openapi_operation& operation, const json::object& parameters, bool (*is_known)(const json::value&)) {
    std::vector<openapi_mistake> out;
    std::vector<std::string> names;
    const auto check_enum = [&](const std::string& name, const json::value& schema) {
        const auto* given = parameters.if_contains(name);
        const auto* object = schema.if_object();
        const auto* choices = object != nullptr ? array_at(*object, "enum") : nullptr;
        if (choices == nullptr && object != nullptr && object_at(*object, "items") != nullptr) choices = array_at(*object_at(*object, "items"), "enum");
        if (given == nullptr || choices == nullptr) return;
        const auto each = given->is_array() ? given->get_array() : json::array{*given};
        for (const auto& value : each) {
            if (!is_known(value) || std::find(choices->begin(), choices->end(), value) != choices->end()) continue;
            std::string list;
            for (std::size_t i = 0; i < choices->size() && i < 10; ++i) list += (i > 0 ? ", " : "") + to_text((*choices)[i]);
            out.push_back({name, "the parameter `" + name + "` of `" + operation.id + "` must be one of " + list, "", false});
        }
    };
    const auto check_one = [&](const std::string& name, bool required, const json::value& schema) {
        names.push_back(name);
        if (required && !parameters.contains(name)) {
            out.push_back({name, "`" + operation.id + "` needs the parameter `" + name + "`", "add `" + name + ": ...` to `parameters`", true});
        }
        check_enum(name, schema);
    };
    for (const auto& each : operation.parameters) check_one(each.name, each.required, each.schema);
    const auto* properties = operation.body ? properties_of(*operation.body) : nullptr;
    const bool whole = operation.body && !operation.body->name.empty() && parameters.contains(operation.body->name);
    if (operation.body && !operation.body->name.empty()) names.push_back(operation.body->name);
    if (properties != nullptr && !whole) {
        const auto* required = array_at(operation.body->schema.get_object(), "required");
        for (const auto& [name, schema] : *properties) {
            const bool needed = operation.body->required && required != nullptr && std::find(required->begin(), required->end(), json::value(name)) != required->end();
            check_one(std::string(name), needed, schema);
        }
    } else if (operation.body && operation.body->required && !whole && properties == nullptr) {
        const bool any_left = std::any_of(parameters.begin(), parameters.end(), [&](const auto& p) { return std::find(names.begin(), names.end(), std::string(p.key())) == names.end(); });
        if (!any_left) out.push_back({operation.body->name, "`" + operation.id + "` needs a body", "add `" + operation.body->name + ": ...` to `parameters`", true});
    }
    const auto additional = operation.body ? flag_at(operation.body->schema.is_object() ? operation.body->schema.get_object() : json::object(), "additionalProperties") : std::nullopt;
    const bool open = operation.body && !whole && (properties == nullptr || additional.value_or(true));
    for (const auto& [name, value] : parameters) {
        if (open || std::find(names.begin(), names.end(), std::string(name)) != names.end()) continue;
        const auto near = closest(name, names);
        std::string hint = near ? "did you mean `" + *near + "`?" : std::string();
        if (hint.empty()) {
            for (std::size_t i = 0; i < names.size() && i < 10; ++i) hint += (i > 0 ? ", `" : "it takes `") + names[i] + "`";
        }
        out.push_back({std::string(name), "`" + operation.id + "` has no parameter `" + std::string(name) + "`", hint.empty() ? "it takes none" : hint, false});
    }
    return out;
}

}  // namespace pawl::flow
