// Reads runs for the core, with everything needed to go on: those that were asked for while the readers were busy come with one question.
//
// load() may be called from any thread. `answers` are given on a thread of the reader, once for each run that was asked for, in any order; none after the
// reader has stopped.
#pragma once

#include "runtime/core_ports.hpp"
#include "runtime/definitions.hpp"
#include "runtime/reader.hpp"

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace pawl::runtime {

/// A run that cannot be loaded, for operators.
store::dead_letter unloadable(const store::run_row& row, const std::string& why);

class run_loader {
public:
    /// reader::ask()
    using asker = std::function<void(reader::job)>;
    struct answers {
        std::function<void(std::shared_ptr<loaded_run>)> loaded;
        /// The row when it could be read, null otherwise.
        std::function<void(std::string run, problem why, std::shared_ptr<store::run_row> row)> failed;
    };

    run_loader(asker ask, definition_cache& definitions, answers given);

    void load(std::string run);

private:
    using ids = std::vector<std::string>;

    ids take();
    std::optional<store::store_error> read(store::connection& c, ids& asked);
    std::optional<store::store_error> read_each(store::connection& c, ids& asked);
    void load_children(store::connection& c, const flow::workflow& parent);
    std::optional<store::store_error> complete(store::connection& c, store::run_row row);
    std::optional<store::store_error> give_up(store::connection& c, const std::string& run, const store::run_row* row, const store::store_error& error);

    asker ask_;
    definition_cache& definitions_;
    answers answers_;
    std::mutex mutex_;
    ids waiting_;
};

}  // namespace pawl::runtime
