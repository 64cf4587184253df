// The kinds of tasks and the keys a task may have: one table for the compiler and for `pawl schema`.
#pragma once

#include <array>
#include <string_view>

namespace pawl::flow {

/// What every task may have.
inline constexpr std::array<std::string_view, 7> common_task_keys{"if", "input", "output", "export", "timeout", "then", "metadata"};

struct task_kind {
    std::string_view key;
    std::string_view meaning;
    std::array<std::string_view, 2> companions{};  ///< further keys of the task
};

// `do` comes last: it is a companion of `for`.
inline constexpr std::array<task_kind, 12> task_kinds{{{"call", "Calls a function, a tool or a service.", {"with"}},
                                                       {"emit", "Emits a CloudEvent.", {}},
                                                       {"for", "Performs tasks for each item of a list.", {"while", "do"}},
                                                       {"fork", "Performs tasks at the same time.", {}},
                                                       {"listen", "Waits for events.", {"foreach"}},
                                                       {"raise", "Raises an error.", {}},
                                                       {"run", "Runs a workflow, a script, a shell command or a container.", {}},
                                                       {"set", "Sets the output.", {}},
                                                       {"switch", "Chooses the next task.", {}},
                                                       {"try", "Performs tasks, and catches their errors.", {"catch"}},
                                                       {"wait", "Waits for a time.", {}},
                                                       {"do", "Performs tasks one after the other.", {}}}};

/// What `use.extensions` may extend.
inline constexpr std::array<std::string_view, 12> extendable_kinds{"all",   "call", "composite", "emit",   "for", "listen",
                                                                   "raise", "run",  "set",       "switch", "try", "wait"};

}  // namespace pawl::flow
