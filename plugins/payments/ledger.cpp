#include "ledger.hpp"

#include <pawl/plugin.hpp>

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/file.h>
#include <unistd.h>

namespace payments {
namespace {

namespace sdk = pawl::sdk;

[[noreturn]] void give_up(const std::string& path, const char* what) {
    throw sdk::failure(sdk::failure_type::runtime, "The ledger " + path + " cannot be " + what + ": " + std::strerror(errno) + ".");
}

std::string read_all(int file, const std::string& path) {
    std::string text;
    std::array<char, 65536> part;
    ::lseek(file, 0, SEEK_SET);
    while (true) {
        const auto n = ::read(file, part.data(), part.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) give_up(path, "read");
        if (n == 0) return text;
        text.append(part.data(), static_cast<std::size_t>(n));
    }
}

}  // namespace

ledger::ledger(const std::string& path) : path_(path) {
    const auto folder = std::filesystem::path(path).parent_path();
    std::error_code error;
    if (!folder.empty()) std::filesystem::create_directories(folder, error);
    file_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (file_ < 0) give_up(path, "opened");
    try {
        while (::flock(file_, LOCK_EX) != 0) {
            if (errno != EINTR) give_up(path, "locked");
        }
        text_ = read_all(file_, path);
        const auto whole = text_.rfind('\n') == std::string::npos ? 0 : text_.rfind('\n') + 1;
        if (whole != text_.size()) {
            // Somebody was killed while writing; nobody has been told that this payment was made.
            if (::ftruncate(file_, static_cast<off_t>(whole)) != 0) give_up(path, "repaired");
            text_.resize(whole);
        }
    } catch (...) {
        ::close(file_);
        throw;
    }
}

ledger::~ledger() { ::close(file_); }  // and unlocks

std::optional<std::string> ledger::find(std::string_view key) const {
    const std::string_view text(text_);
    for (std::size_t from = 0; from < text.size();) {
        const auto end = text.find('\n', from);
        const auto line = text.substr(from, end - from);
        from = end + 1;
        if (line.find(key) == std::string_view::npos) continue;  // most lines need no parser
        boost::system::error_code error;
        const auto value = boost::json::parse(line, error);
        const auto* object = error ? nullptr : value.if_object();
        const auto* found = object != nullptr ? object->if_contains("key") : nullptr;
        if (found != nullptr && found->is_string() && found->get_string() == key) return std::string(line);
    }
    return std::nullopt;
}

void ledger::append(const std::string& line) {
    const auto whole = line + "\n";
    for (std::size_t done = 0; done < whole.size();) {
        const auto n = ::write(file_, whole.data() + done, whole.size() - done);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) give_up(path_, "written");
        done += static_cast<std::size_t>(n);
    }
    if (::fsync(file_) != 0) give_up(path_, "written to disk");
    // A new file's name is in its folder, which has to reach the disk too.
    if (text_.empty()) {
        const auto folder = std::filesystem::absolute(path_).parent_path();
        const int opened = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (opened >= 0) {
            ::fsync(opened);
            ::close(opened);
        }
    }
    text_ += whole;
}

}  // namespace payments
