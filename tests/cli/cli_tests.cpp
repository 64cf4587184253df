#include "cli/console.hpp"
#include "cli/event_relay.hpp"
#include "cli/follow.hpp"
#include "cli/open_store.hpp"
#include "cli/progress.hpp"
#include "cli/project.hpp"
#include "cli/secrets.hpp"
#include "cli/workplace.hpp"

#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <fstream>

using namespace pawl;
using namespace pawl::cli;

namespace {

struct temporary_folder {
    std::filesystem::path path;
    temporary_folder() : path(std::filesystem::temp_directory_path() / ("pawl-cli-" + new_uuid7())) { std::filesystem::create_directories(path); }
    ~temporary_folder() {
        std::error_code ec;
        std::filesystem::remove_all(path, ec);
    }
    std::filesystem::path write(const std::string& name, std::string_view text) const {
        std::filesystem::create_directories((path / name).parent_path());
        std::ofstream(path / name) << text;
        return path / name;
    }
};

runtime::run_event step(std::string task, std::string outcome = "completed", unsigned attempt = 1) {
    runtime::run_event e;
    e.task = task;
    e.pointer = "/do/" + task;
    e.function = "orders.lookup";
    e.key = "key-" + task;
    e.outcome = std::move(outcome);
    e.attempt = attempt;
    e.duration = milliseconds(12);
    return e;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(command_line_parts)

BOOST_AUTO_TEST_CASE(tables_align_by_characters_and_cells_shorten_with_an_ellipsis) {
    BOOST_TEST(table({{"A", "B"}, {"äöü", "x"}, {"", "y"}}) == "A    B\näöü  x\n     y\n");
    BOOST_TEST(shortened("a\nb", 10) == "a b");
    BOOST_TEST(shortened("äöüß", 3) == "äö…");
    BOOST_TEST(shortened("äöü", 3) == "äöü");
}

BOOST_AUTO_TEST_CASE(ids_shorten_to_what_still_tells_them_apart) {
    BOOST_TEST(short_id("0193f5c2-81d4-7a10-8000-000000000000") == "0193f5c2-81d4-7a10");
    BOOST_TEST(short_id("3f9c2a1b-81d4-8a10-8000-000000000000") == "3f9c2a1b");
}

BOOST_AUTO_TEST_CASE(secrets_files_are_read_and_their_mistakes_never_show_the_line) {
    const auto good = parse_secrets_file("# comment\n\nA=1\nexport B = \"two words\"\nC='x=y'\r\n", "s.env");
    BOOST_TEST_REQUIRE(good.has_value());
    BOOST_TEST(good->at("A") == "1");
    BOOST_TEST(good->at("B") == "two words");
    BOOST_TEST(good->at("C") == "x=y");
    const auto bad = parse_secrets_file("A=1\nhunter2\n", "s.env");
    BOOST_TEST_REQUIRE(bad.has_error());
    BOOST_TEST(bad.error().detail == "s.env:2: expected NAME=value");
}

BOOST_AUTO_TEST_CASE(secrets_of_an_environment_replace_the_default_file_and_only_declared_names_are_given) {
    const temporary_folder folder;
    folder.write(".pawl/secrets.env", "PAWL_TEST_A=default\nPAWL_TEST_B=b\n");
    folder.write(".pawl/secrets.staging.env", "PAWL_TEST_A=staging\n");
    auto manifest = agent::manifest_without_file(folder.path.string());
    manifest.secrets = {"PAWL_TEST_A"};
    BOOST_TEST(secret_source::load(manifest)->declared("PAWL_TEST_A").value() == "default");
    BOOST_TEST(!secret_source::load(manifest)->declared("PAWL_TEST_B").has_value());
    manifest.environment = "staging";
    BOOST_TEST(secret_source::load(manifest)->declared("PAWL_TEST_A").value() == "staging");
    BOOST_TEST(!secret_source::load(manifest)->any("PAWL_TEST_B").has_value());
}

BOOST_AUTO_TEST_CASE(crash_points_are_read_strictly) {
    BOOST_TEST(parse_crash_point("before-commit:3")->checkpoint == 3u);
    BOOST_TEST(parse_crash_point("before-commit:3")->before);
    BOOST_TEST(!parse_crash_point("after-commit:1")->before);
    for (const auto* bad : {"", "3", "before-commit:", "before-commit:0", "before-commit:-1", "after-commit:1x", "during-commit:1"}) BOOST_TEST(!parse_crash_point(bad).has_value(), bad);
}

BOOST_AUTO_TEST_CASE(the_nearest_project_upwards_is_found) {
    const temporary_folder folder;
    folder.write("pawl.yaml", "name: x\n");
    const auto flow = folder.write("flows/deep/a.yaml", "");
    BOOST_TEST(find_project(flow.string()).value() == std::filesystem::canonical(folder.path).string());
    BOOST_TEST(find_project((folder.path / "flows").string()).value() == std::filesystem::canonical(folder.path).string());
    const auto chosen = open_project({{}, flow.string(), {}});
    BOOST_TEST_REQUIRE(chosen.has_value());
    BOOST_TEST(chosen->store_url == "sqlite:" + (std::filesystem::canonical(folder.path) / ".pawl/default.sqlite").string());
    BOOST_TEST(open_project({(folder.path / "flows").string(), {}, {}}).has_error());
}

BOOST_AUTO_TEST_CASE(a_password_on_the_command_line_is_refused) {
    const auto refused = choose_store("postgresql://me:geheim@db/x", agent::manifest_without_file("/p"));
    BOOST_TEST_REQUIRE(refused.has_error());
    BOOST_TEST(refused.error().detail.find("PGPASSWORD") != std::string::npos);
    BOOST_TEST(refused.error().detail.find("geheim") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(agent_instances_are_named_by_name_and_key) {
    BOOST_TEST(parse_agent_name("desk/T-1")->key == "T-1");
    BOOST_TEST(parse_agent_name("desk/a/b")->key == "a/b");
    for (const auto* bad : {"", "desk", "/x", "desk/"}) BOOST_TEST(parse_agent_name(bad).has_error(), bad);
}

BOOST_AUTO_TEST_CASE(progress_shows_steps_in_full_and_counts_loops) {
    std::string seen;
    progress view([&](std::string_view text) { seen += text; });
    const auto begin = progress::steady::now();
    view.finished(step("lookup"), begin);
    view.finished(step("pay", "faulted", 2), begin);
    BOOST_TEST(seen.find("ok      lookup") != std::string::npos);
    BOOST_TEST(seen.find("faulted pay") != std::string::npos);
    BOOST_TEST(seen.find("attempt 2") != std::string::npos);
    seen.clear();
    for (int i = 0; i < 10'000; ++i) view.finished(step("item"), begin + std::chrono::milliseconds(i));
    view.flush(begin + std::chrono::seconds(11));
    BOOST_TEST(std::count(seen.begin(), seen.end(), '\n') < 20);
    BOOST_TEST(seen.find("10000 done") != std::string::npos);
    BOOST_TEST(seen.find('\x1b') == std::string::npos);
}

BOOST_AUTO_TEST_CASE(long_running_steps_are_named_once) {
    std::string seen;
    progress view([&](std::string_view text) { seen += text; });
    const auto begin = progress::steady::now();
    view.started(step("slow"), begin);
    view.tick(begin + std::chrono::milliseconds(500));
    BOOST_TEST(seen.empty());
    view.tick(begin + std::chrono::milliseconds(1500));
    view.tick(begin + std::chrono::milliseconds(2500));
    BOOST_TEST(std::count(seen.begin(), seen.end(), '\n') == 1);
    BOOST_TEST(seen.find("running slow") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(notes_are_said_once_in_a_row) {
    std::string seen;
    progress view([&](std::string_view text) { seen += text; });
    view.note("waits");
    view.note("waits");
    BOOST_TEST(seen == "waits\n");
}

BOOST_AUTO_TEST_CASE(a_file_sink_appends_whole_lines_and_says_when_it_cannot) {
    const temporary_folder folder;
    const auto path = (folder.path / "deep" / "events.jsonl").string();
    const auto sink = deliver_to_file(path);
    store::outbox_entry event;
    event.body = R"({"id":"1"})";
    BOOST_TEST(sink(event).has_value());
    BOOST_TEST(sink(event).has_value());
    std::ifstream in(path);
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    BOOST_TEST(text == "{\"id\":\"1\"}\n{\"id\":\"1\"}\n");
    BOOST_TEST(deliver_to_file(folder.path.string())(event).has_error());
}

BOOST_AUTO_TEST_SUITE_END()
