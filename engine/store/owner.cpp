// Who owns a lease: a process, named so that another process of the same host can tell whether it still lives.
// The text is "pawl/<boot id>/<pid namespace>/<pid>/<start time>": a pid alone is reused, with the start time it is not.
#include "store/connection.hpp"

#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <fstream>
#include <iterator>

#include <unistd.h>

namespace pawl::store {
namespace {

std::string host_identity() {
    std::string boot;
    std::getline(std::ifstream("/proc/sys/kernel/random/boot_id"), boot);
    std::array<char, 64> space{};
    const auto length = ::readlink("/proc/self/ns/pid", space.data(), space.size());
    return "pawl/" + boot + "/" + std::string(space.data(), length > 0 ? static_cast<std::size_t>(length) : 0);
}

struct process_facts {
    char state = 0;
    std::string start_time;
};

std::optional<process_facts> facts_of(std::string_view pid) {
    std::ifstream file("/proc/" + std::string(pid) + "/stat");
    const std::string text(std::istreambuf_iterator<char>(file), {});
    const auto name_end = text.rfind(')');  // the name itself may hold anything
    if (name_end == std::string::npos) return std::nullopt;
    process_facts facts;
    std::size_t at = name_end + 1;
    for (int field = 3; field <= 22; ++field) {
        const auto begin = text.find_first_not_of(' ', at);
        if (begin == std::string::npos) return std::nullopt;
        at = std::min(text.find(' ', begin), text.size());
        if (field == 3) facts.state = text[begin];
        if (field == 22) facts.start_time = text.substr(begin, at - begin);
    }
    return facts;
}

}  // namespace

std::string this_process_as_owner() {
    const auto pid = std::to_string(::getpid());
    const auto facts = facts_of(pid);
    return host_identity() + "/" + pid + "/" + (facts ? facts->start_time : "?");
}

bool owner_is_dead(std::string_view owner) {
    const auto host = host_identity() + "/";
    if (!owner.starts_with(host)) return false;
    owner.remove_prefix(host.size());
    const auto slash = owner.find('/');
    if (slash == std::string_view::npos) return false;
    const auto pid = owner.substr(0, slash);
    const auto started = owner.substr(slash + 1);
    pid_t number = 0;
    const auto end = std::from_chars(pid.data(), pid.data() + pid.size(), number).ptr;
    if (pid.empty() || end != pid.data() + pid.size() || number <= 0) return false;
    if (::kill(number, 0) != 0 && errno == ESRCH) return true;
    // /proc may hide other users' processes: no facts means no verdict.
    const auto facts = facts_of(pid);
    if (!facts) return false;
    return facts->state == 'Z' || facts->state == 'X' || (started != "?" && facts->start_time != started);
}

}  // namespace pawl::store
