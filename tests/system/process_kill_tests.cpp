// SIGKILL before and after every checkpoint of a flow of child processes. Commands that are declared idempotent are repeated with the key they had, so that their
// ledger shows each once; a command that is not is never repeated: its outcome is unknown, and the flow can catch that.
#include "system/interrupted.hpp"

#include <boost/test/unit_test.hpp>

#include <iostream>
#include <set>
#include <sstream>

using namespace pawl;
using namespace pawl::system_tests;

namespace {

constexpr std::string_view flow = R"yaml(document: { dsl: '1.0.3', namespace: test, name: commands, version: '1.0.0' }
do:
  - each:
      for: { each: n, in: '[1, 2]' }
      do:
        - pay:
            run:
              shell:
                command: |
                  grep -qx "$PAWL_IDEMPOTENCY_KEY" keys 2>/dev/null || { echo "$PAWL_IDEMPOTENCY_KEY" >> keys; echo "$1" >> ledger; }
                  echo "paid $1"
                arguments: [ '${ $n }' ]
            metadata: { safety: idempotent }
  - announce:
      try:
        - post: { run: { shell: { command: 'echo posted | tee -a posts' } } }
      catch:
        as: problem
        do:
          - give up: { set: '${ "unknown " + ($problem.detail | test("engine stopped before it learned the outcome") | tostring) }' }
      export: { as: '{ announced: . }' }
  - count:
      run: { script: { language: python, code: 'print(len(open("ledger").readlines()))' } }
      metadata: { safety: pure }
      output: { as: '{ count: ., announced: $context.announced }' }
)yaml";

struct story {
    bool crashed = false;
    std::string count, announced;
    std::multiset<std::string> paid;
    std::size_t posts = 0;
};

story tell(const std::string& store, const std::string& crash_at) {
    const temporary_folder folder;
    folder.write("pawl.yaml", "name: commands\nversion: 1.0.0\n");
    folder.write("flow.yaml", flow);
    folder.write("posts", "");
    place at{folder.path(), store_variables(store)};
    const auto [crashed, end] = run_interrupted(at, crash_at);
    story out;
    out.crashed = crashed;
    const auto document = end.document();
    const auto& output = document.as_object().at("output").as_object();
    out.count = output.at("count").as_string();
    out.announced = output.at("announced").as_string();
    std::istringstream ledger(folder.read("ledger")), posts(folder.read("posts"));
    for (std::string line; std::getline(ledger, line);) out.paid.insert(line);
    for (std::string line; std::getline(posts, line);) ++out.posts;
    return out;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(killed_commands)

BOOST_AUTO_TEST_CASE(a_kill_at_any_checkpoint_repeats_what_may_be_repeated_and_nothing_else) {
    for (const auto& store : store_kinds()) {
        const auto whole = tell(store, "");
        BOOST_TEST(whole.count == "2\n");
        BOOST_TEST(whole.announced == "posted\n");
        BOOST_TEST((whole.paid == std::multiset<std::string>{"1", "2"}));
        BOOST_TEST(whole.posts == 1u);
        int kills = 0, unknown_and_posted = 0, unknown_and_not = 0;
        for (const std::string moment : {"before-commit:", "after-commit:"}) {
            int n = 1;
            for (;; ++n) {
                BOOST_TEST_CONTEXT(store << ", " << moment << n) {
                    const auto after = tell(store, moment + std::to_string(n));
                    if (!after.crashed) break;
                    ++kills;
                    BOOST_TEST(after.count == whole.count);
                    BOOST_TEST((after.paid == whole.paid));
                    const bool unknown = after.announced != whole.announced;
                    if (unknown) BOOST_TEST(after.announced == "unknown true");
                    BOOST_TEST(after.posts <= 1u);
                    if (!unknown) BOOST_TEST(after.posts == 1u);
                    if (unknown) ++(after.posts == 1 ? unknown_and_posted : unknown_and_not);
                }
            }
            BOOST_TEST(n > 4, "too few checkpoints for a flow of this length");
        }
        BOOST_TEST(unknown_and_posted > 0);
        BOOST_TEST(unknown_and_not > 0);
        std::cout << "kill matrix of commands on " << store << ": " << kills << " kills\n";
    }
}

BOOST_AUTO_TEST_SUITE_END()
