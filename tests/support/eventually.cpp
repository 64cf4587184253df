#include "support/eventually.hpp"

#include <chrono>
#include <thread>

namespace pawl::test_support {

bool eventually(const std::function<bool()>& holds) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (std::chrono::steady_clock::now() < until) {
        if (holds()) return true;
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return holds();
}

}  // namespace pawl::test_support
