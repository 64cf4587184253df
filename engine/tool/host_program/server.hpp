// The child's side: reads frames from the engine, gives calls to the plugin, sends back what comes of them.
//
// Threads take turns as the reader (leader and followers): the one that reads a call runs it itself, and another one reads on, so a call costs no switch
// between threads of this process. There is always a reader: threads are added while all others are inside the plugin.
#pragma once

#include "tool/frame.hpp"
#include "tool/host_program/beats.hpp"
#include "tool/instance.hpp"

#include <mutex>

namespace pawl::tool {

class server {
public:
    explicit server(int socket)
        : socket_(socket), beats_([this](call_id id, std::string_view detail) { send({{"op", "heartbeat"}, {"id", id}}, detail.substr(0, max_value_bytes_)); }) {}

    /// Serves until the engine says stop or goes away, and ends the process; never returns.
    [[noreturn]] void run();

private:
    std::optional<frame> receive();
    bool receive_bytes(std::string& into, std::size_t size);
    void send(const json::object& head, std::string_view body);
    void start(const frame& init);
    [[noreturn]] void refuse(const problem& why);
    void work();
    /// Reads until there is a call to run; 0 for none: another thread has ended the process.
    call_id next_call();
    void admit(frame f);
    [[noreturn]] void stop(const frame& f);

    const int socket_;
    std::size_t max_value_bytes_ = 0;
    std::string name_;
    std::unique_ptr<instance> plugin_;
    beats beats_;
    std::mutex reading_;
    std::mutex writing_;
    std::mutex counting_;
    std::size_t waiting_ = 0;  ///< threads that read or wait to
};

}  // namespace pawl::tool
