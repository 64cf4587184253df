// What is read from a plugin's file without running any of its code, and what is refused. (The broken plugins abort in a constructor.)
#include "base/digest.hpp"
#include "tool/frame.hpp"
#include "tool/world.hpp"

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <filesystem>

using namespace pawl;
using namespace pawl::tool_tests;

BOOST_AUTO_TEST_SUITE(plugin_files)

BOOST_AUTO_TEST_CASE(a_manifest_is_read_without_running_the_library) {
    const auto file = tool::read_plugin_file(test_plugin("good"));
    BOOST_TEST_REQUIRE(file.has_value(), file.error().detail);
    BOOST_TEST(file->manifest.name == "broken");
    BOOST_TEST_REQUIRE(file->manifest.tools.size() == 1u);
    BOOST_TEST(file->manifest.tools[0].name == "a");
}

BOOST_AUTO_TEST_CASE(the_manifest_of_a_typed_plugin_has_its_schemas) {
    const auto file = tool::read_plugin_file(standard_plugin("payments"));
    BOOST_TEST_REQUIRE(file.has_value(), file.error().detail);
    const auto* refund = file->manifest.find("refund");
    BOOST_TEST_REQUIRE(refund != nullptr);
    BOOST_TEST((refund->safety == effect_safety::idempotent));
    BOOST_TEST(refund->input.is_valid(parse_json(R"({"orderId":"A","amount":1.5,"currency":"EUR"})").value()));
    BOOST_TEST(!refund->input.is_valid(parse_json(R"({"orderId":"A","amount":"1.5","currency":"EUR"})").value()));
    BOOST_TEST(!refund->input.is_valid(parse_json(R"({"orderId":"A","amount":1.5})").value()));
    BOOST_TEST(!refund->input.is_valid(parse_json(R"({"orderId":"A","amount":1.5,"currency":"EUR","crash":"now"})").value()));
    BOOST_TEST(refund->input_schema.at("properties").at("crash").at("default") == "never");
    BOOST_TEST(file->manifest.config.has_value());
}

struct broken_case {
    const char* plugin;
    const char* says;
};
std::ostream& operator<<(std::ostream& to, const broken_case& c) { return to << c.plugin; }

const broken_case all_broken[] = {
    {"magic", "does not begin with Pawl's magic number"},
    {"abi", "built for version 2 of the plugin ABI"},
    {"truncated", "truncated"},
    {"tiny", "truncated"},
    {"unset", "truncated"},
    {"nojson", "not JSON"},
    {"nolist", "`tools` must be an array"},
    {"twice", "the tool `a` is listed twice"},
    {"nomanifest", "manifest is not constant data"},
};

BOOST_DATA_TEST_CASE(a_broken_plugin_is_refused_with_one_clear_reason, boost::unit_test::data::make(all_broken), each) {
    const auto file = tool::read_plugin_file(test_plugin(each.plugin));
    BOOST_TEST_REQUIRE(!file.has_value());
    BOOST_TEST(file.error().type == type_uri(problem_type::configuration));
    BOOST_TEST(file.error().detail.find(each.says) != std::string::npos, file.error().detail);
    BOOST_TEST(file.error().detail.find(each.plugin + std::string(".so")) != std::string::npos, file.error().detail);
}

BOOST_AUTO_TEST_CASE(files_that_are_no_libraries_are_refused) {
    const temporary_folder folder;
    const auto refused = [&](std::string_view text, std::string_view says) {
        write_file(folder.path("x.so"), text);
        const auto file = tool::read_plugin_file(folder.path("x.so"));
        BOOST_TEST_REQUIRE(!file.has_value());
        BOOST_TEST(file.error().detail.find(says) != std::string::npos, file.error().detail);
    };
    refused("", "not a shared library");
    refused("#!/bin/sh\n", "not a shared library");
    refused(std::string_view("\x7f" "ELF", 4), "cut short");
    const auto whole = read_file(test_plugin("good"));
    refused(std::string_view(whole).substr(0, 600), "cut short");
    refused(std::string_view(whole).substr(0, whole.size() / 2), "cut short");
    const auto missing = tool::read_plugin_file(folder.path("nowhere.so"));
    BOOST_TEST(missing.error().detail.find("no such file") != std::string::npos);
    BOOST_TEST(tool::read_plugin_file(folder.path(".")).error().detail.find("not a file") != std::string::npos);
    BOOST_TEST(tool::read_plugin_file(host_program()).error().detail.find("exports no symbol") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(damaged_libraries_never_crash_the_reader) {
    // Every byte of the headers and tables in turn, and random ones of the rest: the reader says no or yes, and lives.
    const temporary_folder folder;
    const auto whole = read_file(test_plugin("abi"));
    unsigned refused = 0, tried = 0;
    std::uint64_t random = 88172645463325252u;
    for (std::size_t i = 0; i < 600; ++i) {
        random ^= random << 13, random ^= random >> 7, random ^= random << 17;
        auto damaged = whole;
        const auto at = i < 64 ? i : random % damaged.size();
        damaged[at] = static_cast<char>(i % 2 == 0 ? 0xff : damaged[at] + 1 + static_cast<char>(random >> 32));
        for (std::size_t more = 0; more < i % 5; ++more) damaged[(random >> (more * 8)) % damaged.size()] = static_cast<char>(random >> more);
        write_file(folder.path("x.so"), damaged);
        refused += tool::read_plugin_file(folder.path("x.so")).has_error() ? 1 : 0;
        ++tried;
    }
    BOOST_TEST(tried == 600u);
    BOOST_TEST(refused > 500u);
}

BOOST_AUTO_TEST_CASE(a_wrong_digest_is_refused_and_both_digests_are_named) {
    const auto path = test_plugin("plain");
    const auto right = sha256_hex(read_file(path));
    BOOST_TEST(tool::read_plugin_file(path, right).has_value());
    auto upper = right;
    for (auto& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    BOOST_TEST(tool::read_plugin_file(path, upper).has_value());
    const auto wrong = tool::read_plugin_file(path, std::string(64, '0'));
    BOOST_TEST_REQUIRE(!wrong.has_value());
    BOOST_TEST(wrong.error().detail.find(right) != std::string::npos);
    BOOST_TEST(tool::read_plugin_file(path, right.substr(0, 10)).has_error());
}

BOOST_AUTO_TEST_CASE(a_registry_knows_its_functions_and_refuses_doubles_and_bad_configurations) {
    const temporary_folder folder;
    std::filesystem::copy_file(test_plugin("plain"), folder.path("copy.so"));
    const std::vector<tool::plugin_settings> good{{test_plugin("plain"), "", true, {}}, {standard_plugin("orders"), "", true, {{"file", "o.json"}}}};
    const auto open = tool::plugin_registry::open(good);
    BOOST_TEST_REQUIRE(open.has_value(), open.error().detail);
    BOOST_TEST(open->find("orders.lookup") != nullptr);
    BOOST_TEST(open->find("orders.nothing") == nullptr);
    BOOST_TEST(open->functions().size() == 7u);
    const auto doubled = tool::plugin_registry::open(std::vector<tool::plugin_settings>{{test_plugin("plain"), "", true, {}}, {folder.path("copy.so"), "", true, {}}});
    BOOST_TEST(doubled.error().detail.find("Two plugins are called `plain`") != std::string::npos);
    const auto badly = tool::plugin_registry::open(std::vector<tool::plugin_settings>{{standard_plugin("orders"), "", true, {{"fiel", "o.json"}}}});
    BOOST_TEST(badly.error().detail.find("configuration of the plugin `orders`") != std::string::npos, badly.error().detail);
}

BOOST_AUTO_TEST_CASE(a_plugin_is_located_by_name_or_path) {
    const std::vector<std::string> folders{"/nowhere", std::filesystem::path(test_plugin("plain")).parent_path().string()};
    BOOST_TEST(tool::locate_plugin("plain", folders).value() == test_plugin("plain"));
    BOOST_TEST(tool::locate_plugin("./x/y.so", folders).value() == "./x/y.so");
    BOOST_TEST(tool::locate_plugin("plane", folders).error().detail.find("/nowhere") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(frames_survive_any_cut_and_refuse_any_lie) {
    const auto bytes = tool::encode({{"op", "done"}, {"id", 7}}, "[1,2]") + tool::encode({{"op", "ready"}});
    for (std::size_t cut = 1; cut <= bytes.size(); ++cut) {
        tool::frame_reader reader(1000);
        std::vector<tool::frame> all;
        for (std::size_t from = 0; from < bytes.size(); from += cut) {
            reader.feed(std::string_view(bytes).substr(from, cut));
            for (auto next = reader.next(); next && *next; next = reader.next()) all.push_back(std::move(**next));
        }
        BOOST_TEST_REQUIRE(all.size() == 2u);
        BOOST_TEST(all[0].id() == 7u);
        BOOST_TEST(all[0].body == "[1,2]");
        BOOST_TEST(all[1].op() == "ready");
    }
    tool::frame_reader small(4);
    small.feed(bytes);
    BOOST_TEST(small.next().has_error());
    tool::frame_reader lied(1000);
    lied.feed(std::string("\x02\0\0\0\0\0\0\0[]", 10));
    BOOST_TEST(lied.next().has_error());
}

BOOST_AUTO_TEST_SUITE_END()
