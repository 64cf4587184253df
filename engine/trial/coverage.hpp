// What the cases of a run have ever done, of all that their flows and agents can do: tasks, branches, catch handlers, fields of agents' states.
// Collected from the machine's decisions and from checkpoints; the runs do not know of it. A coverage belongs to one thread; merge() brings several together.
//
//   task      it ran                                    branch    an `if` that held, and one that did not; each case of a `switch`, and none; each branch
//   handler   an error is caught; with a retry policy:            of a `fork`, and each that won a competing one; a `for` of no, one and several rounds
//             an attempt follows, and none does         written   a checkpoint changed the field    read   a task that ran names it in an expression
#pragma once

#include "agent/manifest.hpp"
#include "flow/workflow.hpp"
#include "flow/yaml.hpp"
#include "run/machine.hpp"

#include <array>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace pawl::trial {

enum class place_kind { task, branch, handler, field };
inline constexpr std::size_t place_kinds = 4;
std::string_view to_string(place_kind kind) noexcept;

/// Something that can happen, and how often it did.
struct place {
    place_kind what = place_kind::task;
    std::string name;  ///< "task `pay`", "case `yes` of task `which`"
    std::string lack;  ///< what it lacks when it never happened: "never ran", "was never taken"
    source_mark mark;
    std::uint64_t times = 0;
};

struct covered_file {
    std::string source;                   ///< its text
    std::map<std::string, place> places;  ///< by what they are, unique in the file
};

struct coverage_total {
    std::size_t covered = 0, all = 0;
    /// Of nothing: 100.
    double percent() const noexcept { return all == 0 ? 100.0 : 100.0 * static_cast<double>(covered) / static_cast<double>(all); }
    void add(const place& p) noexcept {
        ++all;
        covered += p.times > 0 ? 1 : 0;
    }
};

class coverage {
public:
    /// A flow that a case plays, with what it starts. `of_case`: the case file and the pointer of a definition that stands in it.
    void expect(const std::shared_ptr<const flow::workflow>& workflow, const flow::yaml_document* of_case = nullptr, const std::string& case_path = {},
                const std::string& prefix = {});
    /// An agent whose instance a case names.
    void expect(const agent::manifest& project, const agent::agent_settings& agent);

    /// Whose state the next history reads; empty: nobody's.
    void play_as(std::string_view agent);
    void decided(const flow::workflow& of, const std::vector<run::decision>& taken);
    /// `before`: null for an instance that did not exist.
    void state_changed(std::string_view agent, const json::value& before, const json::value& after);

    void merge(const coverage& other);

    const std::map<std::string, covered_file>& files() const noexcept { return files_; }  ///< by path
    coverage_total total() const;
    static coverage_total total_of(const covered_file& file, place_kind kind);
    coverage_total total_of(place_kind kind) const;

private:
    struct watched {
        std::shared_ptr<const flow::workflow> workflow;
        std::string file, prefix;
        std::vector<std::vector<std::string>> reads;  ///< of each task: the state's fields that its expressions name, as "/a/b"; "" is all of it
        std::vector<bool> seen;                       ///< tasks whose reads are counted
    };
    struct agent_fields {
        std::string file;
        std::vector<std::string> fields;  ///< "/refund/status"
        json::value initial;
    };

    place& at(const watched& w, const std::string& key) { return files_[w.file].places[key]; }
    void add_task(const watched& w, const flow::task& t, const flow::yaml_document& document);
    void count_reads(const watched& w, flow::task_id task);

    std::map<std::string, covered_file> files_;
    std::map<const flow::workflow*, watched> watched_;
    std::map<std::string, agent_fields, std::less<>> agents_;
    const agent_fields* reader_ = nullptr;  ///< of the case that is played
};

}  // namespace pawl::trial
