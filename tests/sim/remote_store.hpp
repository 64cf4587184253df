// A store at the other end of a wire: every question travels, is carried out, and its answer travels back; on each way the sender can be lost, and with it what became of the question.
// For code that blocks, in a fiber (fiber.hpp): it pauses on each way, and whoever drives the simulation lets it go on.
#pragma once

#include "trial/memory_store.hpp"

#include <functional>
#include <memory>
#include <optional>

namespace pawl::sim {

/// What lies between one process and the store. Owned by whoever simulates the process, and outlives its connections.
class wire {
public:
    virtual ~wire() = default;
    /// The question is on its way to the store. Error: it never arrives there, or is refused.
    virtual std::optional<store::store_error> to_store(bool writes) = 0;
    /// It has been carried out, and the answer is on its way back. Error: it never arrives.
    virtual std::optional<store::store_error> to_process() = 0;
    /// Error: nobody answers at the other end now.
    virtual std::optional<store::store_error> connect() = 0;
    /// Somebody may want to know what has become durable: the store's NOTIFY.
    virtual void rang() = 0;
    /// A checkpoint has been looked at by the store: for whoever reads a history.
    virtual void judged(const store::checkpoint& checkpoint, store::checkpoint_outcome outcome) = 0;
};

/// `definitions`: those that runs may name.
struct remote_store {
    trial::memory_store& rows;
    std::map<std::string, store::definition_row>& definitions;
};

std::shared_ptr<store::database> database_over(wire& line, remote_store store);

}  // namespace pawl::sim
