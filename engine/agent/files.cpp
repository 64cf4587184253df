#include "agent/files.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace pawl::agent {

result<std::string> read_text_file(const std::string& path, std::size_t max_bytes) {
    const auto fail = [&](const std::string& why) { return make_problem(problem_type::configuration, "cannot read " + path + ": " + why); };
    std::error_code ec;
    const auto status = std::filesystem::status(path, ec);
    if (!std::filesystem::exists(status)) return fail(ec && ec != std::errc::no_such_file_or_directory ? ec.message() : "there is no such file");
    if (std::filesystem::is_directory(status)) return fail("it is a folder, not a file");
    errno = 0;
    std::ifstream in(path, std::ios::binary);
    if (!in) return fail(errno != 0 ? std::strerror(errno) : "it cannot be opened");
    std::string out;
    char block[64 * 1024];
    while (in.read(block, sizeof block) || in.gcount() > 0) {
        out.append(block, static_cast<std::size_t>(in.gcount()));
        if (out.size() > max_bytes) return fail("it is larger than " + std::to_string(max_bytes) + " bytes");
    }
    if (in.bad()) return fail("reading failed");
    return {boost::system::in_place_value, std::move(out)};
}

}  // namespace pawl::agent
