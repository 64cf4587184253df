// What people and scripts see: results on standard output, progress and errors on standard error. Main thread only.
#pragma once

#include "base/diagnostic.hpp"
#include "base/json.hpp"
#include "base/result.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace pawl::cli {

/// Writes text whole, as `visible()` shows it; a closed pipe is not an error of ours.
void print_out(std::string_view text);
void print_err(std::string_view text);

/// The title of a problem that ends the program with exit_superseded.
inline constexpr std::string_view newer_store = "Newer Store";

/// "pawl: MESSAGE" on standard error; returns exit_wrong, or exit_superseded for a problem called so.
int fail(const problem& error);
int fail(std::string_view message);

/// Columns aligned by their widest cell (in characters); the last column is not padded. A cell is one line, whatever it holds.
std::string table(std::vector<std::vector<std::string>> rows);

/// At most `width` characters, with an ellipsis where something is missing; line breaks become blanks.
std::string shortened(std::string_view text, std::size_t width);

/// `text` with every line after its first indented, so that none of them passes for a message of ours.
std::string indented_lines(std::string_view text);

/// Number of code points of UTF-8 text.
std::size_t characters(std::string_view text);

/// All diagnostics, with source lines from `source`.
std::string render_all(const std::vector<diagnostic>& all, std::string_view source);

}  // namespace pawl::cli
