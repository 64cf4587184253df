// The case files of this folder, with its project.
#pragma once

#include "trial/judge.hpp"

#include <memory>
#include <string>
#include <vector>

namespace pawl::cases {

/// A case file that is kept as long as its runner and verdicts.
struct opened_file {
    std::string path;
    std::string source;
    trial::case_file file;
};

/// Every file of this folder that ends so, in order.
std::vector<std::string> files_ending(const std::string& suffix, const std::string& folder = PAWL_CASES);
/// Fails the test when the file is no case file.
std::unique_ptr<opened_file> open_file(const std::string& path);
const agent::manifest& project();

/// Everything that is wrong with a case, for people.
std::string told(const opened_file& of, const trial::verdict& v);

}  // namespace pawl::cases
