#include "tool/host_table.hpp"

#include <map>

namespace pawl::tool {

host_table& host_table::of(const pawl_plugin& library, const pawl_host& functions) {
    struct tables {
        std::mutex guard;
        std::map<const pawl_plugin*, std::unique_ptr<host_table>> all;
    };
    // Not destroyed at exit: a thread of a library may still run then.
    static auto& made = *new tables;
    const std::lock_guard lock(made.guard);
    auto& mine = made.all[&library];
    if (!mine) mine.reset(new host_table(functions));
    return *mine;
}

std::shared_ptr<gate> host_table::open(instance& owner) {
    const std::lock_guard lock(guard_);
    lent_ = {&owner, std::make_shared<gate>()};
    return lent_.door;
}

}  // namespace pawl::tool
