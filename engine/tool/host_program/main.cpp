// pawl-tool-host: runs one plugin in a process of its own for the engine, and is a tool author's hand tool.
//
//   pawl-tool-host PLUGIN ENGINE-PID        started by the engine only, with a socket as descriptor 3
//   pawl-tool-host show PLUGIN              checks a plugin and prints its manifest
//   pawl-tool-host call PLUGIN TOOL INPUT [CONFIG]   calls a tool once, in this process
#include "tool/child.hpp"
#include "tool/host_program/by_hand.hpp"
#include "tool/host_program/server.hpp"

#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <iostream>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace {

/// 1 and a sentence unless the engine started this process.
int serve(const std::string& engine) {
    int kind = 0;
    socklen_t size = sizeof kind;
    if (::getsockopt(pawl::tool::child_socket_fd, SOL_SOCKET, SO_TYPE, &kind, &size) != 0 || kind != SOCK_STREAM) {
        std::cerr << "pawl-tool-host: the engine starts this program; by hand use `pawl-tool-host show` or `pawl-tool-host call`.\n";
        return 1;
    }
    // The engine may have died before the kernel knew of our wish to follow it.
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (std::to_string(::getppid()) != engine) return 1;
    ::fcntl(pawl::tool::child_socket_fd, F_SETFD, FD_CLOEXEC);
    // Descriptors of the engine that somebody forgot to mark are none of the plugin's business.
    ::syscall(SYS_close_range, pawl::tool::child_socket_fd + 1, ~0U, 0);
    pawl::tool::server(pawl::tool::child_socket_fd).run();
}

}  // namespace

int main(int argc, char** argv) {
    const std::vector<std::string> words(argv + 1, argv + argc);
    if (words.size() == 2 && words[0] == "show") return pawl::tool::show_by_hand(words[1]);
    if ((words.size() == 4 || words.size() == 5) && words[0] == "call") {
        return pawl::tool::call_by_hand(words[1], words[2], words[3], words.size() == 5 ? words[4] : "{}");
    }
    if (words.size() == 2) return serve(words[1]);
    std::cerr << "usage: pawl-tool-host show PLUGIN\n       pawl-tool-host call PLUGIN TOOL INPUT-JSON [CONFIG-JSON]\n";
    return 1;
}
