#include "runtime/journal.hpp"

#include <algorithm>
#include <iterator>

namespace pawl::runtime {

journal::journal(std::shared_ptr<store::database> database, std::size_t max_batch, report done, const std::function<void(std::string_view)>& log)
    : database_(std::move(database)), max_batch_(max_batch), done_(std::move(done)), outage_("journal", log), thread_([this] { run(); }) {}

journal::~journal() { stop(); }

void journal::write(store::checkpoint checkpoint) {
    {
        const std::lock_guard lock(mutex_);
        waiting_.push_back(std::move(checkpoint));
    }
    arrived_.notify_one();
}

void journal::stop() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    arrived_.notify_one();
    stop_.raise();
    if (thread_.joinable()) thread_.join();
}

void journal::run() {
    for (;;) {
        std::vector<store::checkpoint> batch;
        {
            std::unique_lock lock(mutex_);
            arrived_.wait(lock, [&] { return !waiting_.empty() || stopping_; });
            if (waiting_.empty()) return;
            if (waiting_.size() <= max_batch_) {
                batch.swap(waiting_);
            } else {
                const auto end = waiting_.begin() + static_cast<std::ptrdiff_t>(max_batch_);
                std::move(waiting_.begin(), end, std::back_inserter(batch));
                waiting_.erase(waiting_.begin(), end);
            }
        }
        // The batch's runs have one checkpoint under way each, so order within a batch does not matter.
        if (!commit(batch)) return;
    }
}

/// False when stop came before the store answered: nothing of the batch is known to be written.
bool journal::commit(std::vector<store::checkpoint>& batch) {
    for (;;) {
        store::store_error error{store::store_errc::lost, "no connection"};
        if (!connection_) {
            auto made = database_->connect();
            if (made) {
                connection_ = std::move(*made);
            } else {
                error = made.error();
            }
        }
        if (connection_) {
            auto outcomes = connection_->commit(batch);
            if (outcomes) {
                outage_.passed();
                auto settled = in_doubt_ ? settle(batch, std::move(*outcomes)) : std::move(*outcomes);
                in_doubt_ = false;
                ++transactions_;
                checkpoints_ += batch.size();
                done_(std::move(batch), std::move(settled));
                return true;
            }
            error = outcomes.error();
            if (error.code == store::store_errc::lost) in_doubt_ = true;
        }
        // An error that does not pass by itself is a defect or an operator's mistake: the runs stay as they are in the store, and we say so.
        const auto pause = outage_.failed(error);
        if (stop_.wait_for(pause)) return false;
    }
}

/// After a try of unknown outcome: a run that stands one revision further than expected was committed by that try,
/// because only the holder of the lease writes it.
std::vector<store::checkpoint_outcome> journal::settle(const std::vector<store::checkpoint>& batch, std::vector<store::checkpoint_outcome> outcomes) {
    for (std::size_t i = 0; i < batch.size(); ++i) {
        if (outcomes[i] != store::checkpoint_outcome::conflict || batch[i].run.empty()) continue;
        const auto row = connection_->load_run(batch[i].run);
        if (row && row->revision == batch[i].expected_revision + 1) outcomes[i] = store::checkpoint_outcome::committed;
    }
    return outcomes;
}

}  // namespace pawl::runtime
