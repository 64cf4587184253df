#include "protocol/openapi_effect.hpp"

#include "base/digest.hpp"
#include "protocol/openapi_call.hpp"

#include <mutex>

namespace pawl::protocol {
namespace {

constexpr milliseconds document_lifetime{300'000};
constexpr std::size_t most_documents = 64;
constexpr std::size_t largest_document = 8 * 1024 * 1024;

using document = std::shared_ptr<const json::value>;

/// The operation of a document that is at hand, called.
void call_operation(http_calls& calls, const runtime::call_request& request, const openapi_arguments& with, const json::value& from, const std::string& url,
                    runtime::completion done) {
    const auto operation = flow::find_openapi_operation(from, with.operation);
    if (operation.has_error()) return done({operation.error(), {}, {}});
    auto call = make_openapi_call(*operation, with, url, request.key);
    if (call.has_error()) return done({call.error(), {}, {}});
    calls.run(request, std::move(*call), std::move(done));
}

/// scheme://host/path of a document, for messages.
std::string shown_of(const std::string& url) {
    const auto parsed = net::parse_url(url);
    return parsed.has_value() ? showable(*parsed) : "of this call";
}

}  // namespace

/// Documents that were read, by URL or digest. Any thread.
struct openapi_effect::shelf {
    document find(const std::string& key, time_point now) {
        const std::lock_guard hold(lock);
        const auto found = kept.find(key);
        return found != kept.end() && now < found->second.until ? found->second.what : nullptr;
    }
    void keep(const std::string& key, document what, time_point until) {
        const std::lock_guard hold(lock);
        if (kept.size() >= most_documents && !kept.contains(key)) {
            kept.erase(std::min_element(kept.begin(), kept.end(), [](const auto& a, const auto& b) { return a.second.until < b.second.until; }));
        }
        kept[key] = {std::move(what), until};
    }

    struct entry {
        document what;
        time_point until;
    };
    std::mutex lock;
    std::map<std::string, entry> kept;
};

openapi_effect::openapi_effect(std::shared_ptr<authenticated_client> client, std::shared_ptr<const clock_source> clock)
    : clock_(std::move(clock)), calls_(std::make_shared<http_calls>(std::move(client))), shelf_(std::make_shared<shelf>()) {}

std::vector<function_description> openapi_effect::functions() const {
    return {{"openapi", "1.0.0", "Calls an operation of an OpenAPI document.", effect_safety::idempotent, openapi_arguments_schema(), std::nullopt, "built-in"}};
}

void openapi_effect::start(std::shared_ptr<const runtime::call_request> request, runtime::completion done, runtime::progress_sink) {
    auto read = read_openapi_arguments(*request);
    if (read.has_error()) return done({read.error(), {}, {}});
    const auto pinned = request->assets->find(read->document);
    const bool of_project = pinned != request->assets->end();
    const auto url = of_project ? std::string() : read->document;
    const auto key = of_project ? "pinned " + sha256_hex(pinned->second) : read->document_key;
    if (const auto known = shelf_->find(key, clock_->now())) return call_operation(*calls_, *request, *read, *known, url, std::move(done));
    const auto take = [shelf = shelf_, clock = clock_, key](std::string_view text, const std::string& shown) -> result<document> {
        auto parsed = read_openapi_document(text, shown);
        if (parsed.has_error()) return parsed.error();
        auto made = std::make_shared<const json::value>(std::move(*parsed));
        shelf->keep(key, made, clock->now() + document_lifetime);
        return document(made);
    };
    if (of_project) {
        const auto made = take(pinned->second, read->document);
        if (made.has_error()) return done({made.error(), {}, {}});
        return call_operation(*calls_, *request, *read, **made, url, std::move(done));
    }
    const auto shown = shown_of(url);
    if (net::parse_url(url).has_error()) {
        return done({make_problem(problem_type::configuration, "The OpenAPI document of this call is neither a file of the project nor an absolute http or https URL."), {}, {}});
    }
    net::http_request ask;
    ask.url = url;
    ask.headers = {{"Accept", "application/json, application/yaml, text/yaml;q=0.9, */*;q=0.5"}};
    ask.max_redirects = 5;
    ask.max_response_bytes = largest_document;
    const auto left = calls_->time_left(*request, "the OpenAPI document " + shown);
    if (left.has_error()) return done({left.error(), {}, {}});
    ask.timeout = *left;
    // The calls may be gone when the document comes; then nobody waits.
    calls_->fetch(*request, std::move(ask), read->document_policy,
                  [calls = std::weak_ptr(calls_), request, with = *read, take, shown, url, done](result<net::http_response> response) {
                      const auto alive = calls.lock();
                      if (!alive) return;
                      auto failed = [&](problem error, const std::string& why) {
                          error.detail = "The OpenAPI document " + shown + " cannot be loaded: " + why;
                          done({std::move(error), {}, {}});
                      };
                      if (response.has_error()) return failed(response.error(), response.error().detail);
                      if (response->status != 200) {
                          auto error = make_problem(problem_type::communication, "");
                          error.status = response->status;
                          return failed(std::move(error), "the server answered " + std::to_string(response->status) + ".");
                      }
                      const auto made = take(response->body, shown);
                      if (made.has_error()) return done({made.error(), {}, {}});
                      call_operation(*alive, *request, with, **made, url, done);
                  });
}

void openapi_effect::cancel(std::string_view key) { calls_->cancel(key); }

}  // namespace pawl::protocol
