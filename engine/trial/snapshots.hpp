// Snapshots: what was seen of a case the last time somebody looked, kept in `NAME.test.snapshots.yaml` beside `NAME.test.yaml`. A file of their own, so that the
// author's never changes. One thread; one book per case file.
#pragma once

#include "trial/judge.hpp"

#include <map>
#include <string>
#include <vector>

namespace pawl::trial {

enum class snapshot_mode {
    keep,    ///< a snapshot that is missing is written
    strict,  ///< a snapshot that is missing is a failure: nobody would look at what is written
    update   ///< what was seen replaces what was kept, and what no case asks for any more is dropped
};

class snapshot_book {
public:
    /// Of the case file at `path`. Error: the file beside it is no file of snapshots.
    static result<snapshot_book> open(const std::string& path, snapshot_mode mode);

    /// Adds to the findings of a case that was played; a case that asks for no snapshot is passed by.
    void hold(verdict& v);
    /// The names of snapshots that none of these cases asks for.
    std::vector<std::string> obsolete(const std::vector<test_case>& cases) const;
    /// Writes the file when something is new. `cases`: with snapshot_mode::update, only their snapshots stay.
    result<void> close(const std::vector<test_case>& cases);

    std::size_t written() const noexcept { return written_; }
    const std::string& path() const noexcept { return path_; }

private:
    std::string path_;
    snapshot_mode mode_ = snapshot_mode::keep;
    std::map<std::string, json::value> kept_;  ///< by name of case
    std::size_t written_ = 0;
};

}  // namespace pawl::trial
