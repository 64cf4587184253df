#include "runtime/reader.hpp"

namespace pawl::runtime {

reader::reader(std::shared_ptr<store::database> database, std::size_t threads, const std::function<void(std::string_view)>& log,
               std::function<void(const store::store_error&)> superseded)
    : database_(std::move(database)), log_(log), superseded_(std::move(superseded)) {
    for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { run(); });
}

reader::~reader() { stop(); }

void reader::ask(job work) {
    {
        const std::lock_guard lock(mutex_);
        if (stopping_) return;
        waiting_.push_back(std::move(work));
    }
    arrived_.notify_one();
}

void reader::stop() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
        waiting_.clear();
    }
    arrived_.notify_all();
    stop_.raise();
    for (auto& thread : threads_) {
        if (thread.joinable()) thread.join();
    }
    threads_.clear();
}

void reader::run() {
    std::unique_ptr<store::connection> connection;
    outage trouble("reader", log_);
    for (;;) {
        job work;
        {
            std::unique_lock lock(mutex_);
            arrived_.wait(lock, [&] { return !waiting_.empty() || stopping_; });
            if (stopping_) return;
            work = std::move(waiting_.front());
            waiting_.pop_front();
        }
        for (;;) {
            std::optional<store::store_error> error;
            if (!connection) {
                auto made = database_->connect();
                if (made) {
                    connection = std::move(*made);
                } else {
                    error = made.error();
                }
            }
            if (connection) error = work(*connection);
            if (!error) {
                trouble.passed();
                break;
            }
            if (error->code == store::store_errc::newer_schema) {
                superseded_(*error);
                break;
            }
            if (connection && !is_transient(*error)) break;  // the job has told its asker
            if (stop_.wait_for(trouble.failed(*error))) return;
        }
    }
}

}  // namespace pawl::runtime
