#include "tool/host_program/server.hpp"

#include "base/digest.hpp"
#include "tool/manifest.hpp"

#include <cerrno>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

namespace pawl::tool {
namespace {

/// Without static destructors: the plugin's threads may still run.
[[noreturn]] void end_process(int code) {
    ::fsync(STDERR_FILENO);
    ::_exit(code);
}

}  // namespace

bool server::receive_bytes(std::string& into, std::size_t size) {
    into.resize(size);
    for (std::size_t have = 0; have < size;) {
        const auto n = ::recv(socket_, into.data() + have, size - have, 0);
        if (n <= 0 && !(n < 0 && errno == EINTR)) return false;
        if (n > 0) have += static_cast<std::size_t>(n);
    }
    return true;
}

std::optional<frame> server::receive() {
    std::string prefix, head, body;
    if (!receive_bytes(prefix, frame_prefix_bytes)) return std::nullopt;
    const auto sizes = decode_prefix(prefix, max_value_bytes_ == 0 ? max_head_bytes : max_value_bytes_);
    if (!sizes || !receive_bytes(head, sizes->head) || !receive_bytes(body, sizes->body)) return std::nullopt;
    auto made = decode(head, {});
    if (!made) return std::nullopt;
    made->body = std::move(body);
    return std::move(*made);
}

void server::send(const json::object& head, std::string_view body) {
    const auto bytes = encode(head, body);
    const std::lock_guard lock(writing_);
    for (std::size_t done = 0; done < bytes.size();) {
        const auto n = ::send(socket_, bytes.data() + done, bytes.size() - done, MSG_NOSIGNAL);
        if (n < 0 && errno != EINTR) end_process(0);  // the engine has gone
        if (n > 0) done += static_cast<std::size_t>(n);
    }
}

void server::refuse(const problem& why) {
    send({{"op", "refused"}}, to_text(to_json(why)));
    end_process(1);
}

void server::start(const frame& init) {
    const auto* limit = init.head.if_contains("maxValueBytes");
    max_value_bytes_ = limit != nullptr && limit->is_int64() ? static_cast<std::size_t>(limit->get_int64()) : max_head_bytes;
    name_ = init.text("name");
    const auto path = init.text("plugin");
    // Again, and on this process's account: the file may have been replaced since the engine looked.
    const auto file = read_plugin_file(path, init.text("sha256"));
    if (!file) refuse(file.error());
    const auto plugin = load_library(path);
    if (!plugin) refuse(plugin.error());
    plugin_ = std::make_unique<instance>(**plugin, name_, [this](log_level level, std::string_view, std::string_view line) {
        send({{"op", "log"}, {"level", to_string(level)}}, line);
    });
    const auto config = parse_json(init.body);
    if (!config || !config->is_object()) refuse(make_problem(problem_type::configuration, "The configuration of " + name_ + " is not a JSON object."));
    if (const auto ready = plugin_->init(config->get_object()); !ready) refuse(ready.error());
    send({{"op", "ready"}}, {});
}

void server::admit(frame f) {
    const auto id = f.id();
    tool_call call;
    call.tool = f.text("tool");
    call.key = f.text("key");
    call.last_detail = f.text("detail");
    call.input = std::move(f.body);
    const auto number = [&](std::string_view name, std::int64_t otherwise) {
        const auto* found = f.head.if_contains(name);
        return found != nullptr && found->is_int64() ? found->get_int64() : otherwise;
    };
    call.attempt = static_cast<unsigned>(number("attempt", 1));
    if (const auto at = number("deadline", 0); at != 0) call.deadline = time_point(milliseconds(at));
    if (const auto* secrets = f.head.if_contains("secrets"); secrets != nullptr && secrets->is_object()) {
        for (const auto& [name, value] : secrets->get_object()) {
            if (value.is_string()) call.secrets.emplace(name, value.get_string());
        }
    }
    call_sink sink;
    sink.done = [this, id, function = name_ + "." + call.tool](result<std::string> outcome) {
        beats_.end(id);
        if (outcome && outcome->size() > max_value_bytes_) {
            outcome = make_problem(problem_type::runtime, "The output of " + function + " has " + std::to_string(outcome->size()) + " bytes; the limit is " +
                                                              std::to_string(max_value_bytes_) + ".");
        }
        if (outcome) return send({{"op", "done"}, {"id", id}}, *outcome);
        send({{"op", "failed"}, {"id", id}}, to_text(to_json(outcome.error())));
    };
    sink.heartbeat = [this, id](std::string_view detail) { beats_.beat(id, detail); };
    sink.progress = [this, id](std::string_view line) { send({{"op", "progress"}, {"id", id}}, line); };
    plugin_->admit(id, std::move(call), std::move(sink));
}

call_id server::next_call() {
    const std::lock_guard lock(reading_);
    while (true) {
        auto f = receive();
        if (!f) end_process(0);  // the engine has gone, and what it asked for with it
        const auto id = f->id();
        const auto op = f->op();
        if (op == "call" && id != 0) {
            admit(std::move(*f));
            return id;
        }
        if (op == "cancel") plugin_->cancel(id);
        if (op == "stop") stop(*f);
    }
}

void server::work() {
    while (true) {
        {
            const std::lock_guard lock(counting_);
            ++waiting_;
        }
        const auto id = next_call();
        {
            const std::lock_guard lock(counting_);
            if (--waiting_ == 0) {
                std::thread([this] { work(); }).detach();
            }
        }
        plugin_->run(id);
    }
}

void server::stop(const frame& f) {
    const auto* patience = f.head.if_contains("patienceMs");
    plugin_->cancel_all();
    plugin_->wait_until_idle(milliseconds(patience != nullptr && patience->is_int64() ? patience->get_int64() : 0));
    plugin_->shutdown();
    end_process(0);
}

void server::run() {
    auto init = receive();
    if (!init || init->op() != "init") end_process(1);
    start(*init);
    work();
    end_process(0);
}

}  // namespace pawl::tool
