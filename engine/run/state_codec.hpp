// The run state as the JSON text of a checkpoint, and back. Values above a size live as blobs, by digest.
#pragma once

#include "run/state.hpp"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace pawl::run {

/// Values whose text is longer than this many bytes are stored once as a blob and referenced.
inline constexpr std::size_t largest_inline_value = 1024;

struct encoded_state {
    std::string text;
    std::vector<value_ref> blobs;  ///< every value that `text` references by digest
};

encoded_state encode(const run_state& s);

/// Reads what encode() wrote. `blobs` are the run's blobs by digest. Error: `runtime` problem when the text is not a state of this workflow.
result<run_state> decode(std::string_view text, const std::string& id, std::shared_ptr<const flow::workflow> workflow, value_ref raw_input,
                         const std::map<std::string, std::string, std::less<>>& blobs);

/// False when decode() of this text needs no blobs. May be true without need.
bool may_need_blobs(std::string_view text) noexcept;

}  // namespace pawl::run
