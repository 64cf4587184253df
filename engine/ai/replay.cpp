#include "ai/replay.hpp"

#include "ai/http_failure.hpp"

#include <fstream>
#include <mutex>

namespace pawl::ai {
namespace {

class replay final : public provider {
public:
    explicit replay(std::shared_ptr<const cassette> recorded) : recorded_(std::move(recorded)) {}

    std::string_view kind() const noexcept override { return "replay"; }
    canceller start(const model_request& request, reply_handler done) override {
        done(recorded_->answer(request));
        return {};
    }

private:
    std::shared_ptr<const cassette> recorded_;
};

class recorder {
public:
    explicit recorder(const std::string& file) : file_(file), out_(file, std::ios::binary | std::ios::app) {}

    bool good() const { return out_.good(); }
    result<void> append(const std::string& line) {
        const std::lock_guard guard(lock_);
        out_.write(line.data(), static_cast<std::streamsize>(line.size()));
        out_.flush();
        if (out_.good()) return {};
        return model_problem(problem_type::configuration, "The cassette " + file_ + " cannot be written.", false);
    }

private:
    std::string file_;
    std::mutex lock_;
    std::ofstream out_;
};

class recording final : public provider {
public:
    recording(std::shared_ptr<provider> inner, std::shared_ptr<recorder> into) : inner_(std::move(inner)), into_(std::move(into)) {}

    std::string_view kind() const noexcept override { return inner_->kind(); }
    canceller start(const model_request& request, reply_handler done) override {
        return inner_->start(request, [into = into_, request, done = std::move(done)](result<model_reply> reply) {
            if (reply.has_value()) {
                if (auto written = into->append(cassette_line(request, *reply)); written.has_error()) return done(written.error());
            }
            done(std::move(reply));
        });
    }

private:
    std::shared_ptr<provider> inner_;
    std::shared_ptr<recorder> into_;
};

}  // namespace

std::shared_ptr<provider> make_replay(std::shared_ptr<const cassette> recorded) { return std::make_shared<replay>(std::move(recorded)); }

result<std::shared_ptr<provider>> make_recording(std::shared_ptr<provider> inner, const std::string& file) {
    auto into = std::make_shared<recorder>(file);
    if (!into->good()) return make_problem(problem_type::configuration, "The cassette " + file + " cannot be opened for writing.");
    return std::make_shared<recording>(std::move(inner), std::move(into));
}

}  // namespace pawl::ai
