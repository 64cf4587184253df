// The rules, held against this very tree.
#include "rules.hpp"

#include <boost/test/unit_test.hpp>

using namespace tidy;

namespace {

const source_tree& here() {
    static const source_tree tree = read_tree(PAWL_SOURCE_DIR);
    return tree;
}

void hold(complaints (*rule)(const source_tree&)) {
    // Proof that there was something to look at.
    BOOST_TEST(here().size() > 50u);
    for (const auto& c : rule(here())) BOOST_ERROR(to_text(c));
    BOOST_TEST(here().contains("engine/base/json.hpp"));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(tidy_tree)

BOOST_AUTO_TEST_CASE(includes_only_point_to_what_the_room_needs) { hold(include_rule); }
BOOST_AUTO_TEST_CASE(rooms_need_only_what_the_design_lets_them_know) { hold(needs_rule); }
BOOST_AUTO_TEST_CASE(files_have_at_most_600_lines) { hold(file_size_rule); }
BOOST_AUTO_TEST_CASE(functions_have_at_most_70_lines) { hold(function_size_rule); }
BOOST_AUTO_TEST_CASE(every_co_await_stands_alone_in_its_statement) { hold(await_rule); }
BOOST_AUTO_TEST_CASE(coroutines_live_in_net_only) { hold(coroutine_place_rule); }
BOOST_AUTO_TEST_CASE(every_room_has_a_readme) { hold(readme_rule); }
BOOST_AUTO_TEST_CASE(nothing_is_left_for_later) { hold(leftover_rule); }
BOOST_AUTO_TEST_CASE(tests_do_not_sleep) { hold(sleep_rule); }
BOOST_AUTO_TEST_CASE(the_top_level_is_as_designed) { hold(top_level_rule); }
BOOST_AUTO_TEST_CASE(there_are_no_tabs) { hold(tab_rule); }
BOOST_AUTO_TEST_CASE(headers_say_what_they_are) { hold(header_rule); }

BOOST_AUTO_TEST_SUITE_END()
