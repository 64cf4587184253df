// The rules themselves, on small bad and good samples: a rule that cannot fail is worthless.
#include "code_view.hpp"
#include "rules.hpp"

#include <boost/test/unit_test.hpp>

using namespace tidy;

namespace {

std::string told(const complaints& all) {
    std::string out;
    for (const auto& c : all) out += to_text(c) + "\n";
    return out;
}

bool tells(const complaints& all, std::string_view part) { return told(all).find(part) != std::string::npos; }

source_tree two_rooms() {
    return {
        {"engine/base/CMakeLists.txt", "pawl_room(base LIBRARIES Boost::json)\n"},
        {"engine/base/json.hpp", "// x\n#pragma once\n"},
        {"engine/store/CMakeLists.txt", "pawl_room(store NEEDS base)\n"},
        {"engine/store/records.hpp", "// x\n#pragma once\n"},
        {"engine/net/CMakeLists.txt", "pawl_room(net NEEDS base LIBRARIES OpenSSL::SSL)\n"},
        {"sdk/include/pawl/plugin.hpp", "// x\n#pragma once\n#include \"sdk/value.hpp\"\n"},
        {"sdk/include/pawl/sdk/value.hpp", "// x\n#pragma once\n"},
        {"plugins/orders/orders.cpp", "#include \"pawl/plugin.hpp\"\n#include <pawl/plugin.hpp>\n"},
    };
}

source_tree with(source_tree tree, const std::string& path, const std::string& text) {
    tree[path] = text;
    return tree;
}

complaints awaits(const std::string& body) { return await_rule({{"engine/net/x.cpp", "task f() {\n" + body + "\n}\n"}}); }

std::string lines(std::size_t n, const std::string& line) {
    std::string out;
    for (std::size_t i = 0; i < n; ++i) out += line + "\n";
    return out;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(tidy_samples)

BOOST_AUTO_TEST_CASE(an_include_beyond_needs_is_told_with_file_and_line) {
    BOOST_TEST(told(include_rule(two_rooms())) == "");
    BOOST_TEST(told(include_rule(with(two_rooms(), "engine/net/x.cpp", "// x\n#include \"store/records.hpp\"\n#include \"base/json.hpp\"\n"))) ==
               "engine/net/x.cpp:2: includes \"store/records.hpp\", but store is not in NEEDS of engine/net/CMakeLists.txt\n");
    BOOST_TEST(tells(include_rule(with(two_rooms(), "engine/net/x.cpp", "#include \"store/gone.hpp\"\n")), "store is not in NEEDS"));
    BOOST_TEST(tells(include_rule(with(two_rooms(), "engine/net/x.cpp", "#include <store/records.hpp>\n")), "store is not in NEEDS"));
    BOOST_TEST(tells(include_rule(with(two_rooms(), "engine/net/x.cpp", "#include \"../store/records.hpp\"\n")), "store is not in NEEDS"));
    BOOST_TEST(tells(include_rule(with(two_rooms(), "engine/net/deep/x.cpp", "#  include \"pawl/plugin.hpp\"\n")), "sdk is not in NEEDS"));
    BOOST_TEST(told(include_rule(with(two_rooms(), "engine/net/x.cpp", "// #include \"store/records.hpp\"\nauto s = R\"(\n#include \"store/records.hpp\"\n)\";\n"))) == "");
}

BOOST_AUTO_TEST_CASE(the_sdk_and_the_plugins_stay_apart_from_the_engine) {
    BOOST_TEST(tells(include_rule(with(two_rooms(), "sdk/include/pawl/x.hpp", "#include \"base/json.hpp\"\n")), "sdk/ knows nobody"));
    BOOST_TEST(tells(include_rule(with(two_rooms(), "plugins/orders/x.cpp", "#include \"base/json.hpp\"\n")), "sdk/ only"));
    BOOST_TEST(tells(include_rule(with(with(two_rooms(), "tests/support/x.hpp", ""), "engine/net/x.cpp", "#include \"support/x.hpp\"\n")), "does not know its tests"));
}

BOOST_AUTO_TEST_CASE(beast_soci_and_yaml_cpp_each_have_one_room) {
    BOOST_TEST(tells(include_rule(with(two_rooms(), "engine/store/x.cpp", "#include <boost/beast/core.hpp>\n")), "only engine/net/ may include Boost.Beast"));
    BOOST_TEST(tells(include_rule(with(two_rooms(), "engine/net/x.cpp", "#include <soci/soci.h>\n")), "only engine/store/ may include SOCI"));
    BOOST_TEST(tells(include_rule(with(two_rooms(), "engine/net/x.cpp", "#include <yaml-cpp/yaml.h>\n")), "only engine/flow/ may include yaml-cpp"));
    BOOST_TEST(told(include_rule(with(two_rooms(), "engine/net/x.cpp", "#include <boost/beast/core.hpp>\n"))) == "");
}

BOOST_AUTO_TEST_CASE(needs_beyond_the_design_are_told) {
    BOOST_TEST(told(needs_rule(two_rooms())) == "");
    BOOST_TEST(tells(needs_rule(with(two_rooms(), "engine/net/CMakeLists.txt", "# the network\npawl_room(net NEEDS base store)\n")),
                     "engine/net/CMakeLists.txt:2: NEEDS store, which net may not know"));
    BOOST_TEST(tells(needs_rule(with(two_rooms(), "engine/api/CMakeLists.txt", "pawl_room(api NEEDS agent cli)\n")), "NEEDS cli"));
    BOOST_TEST(tells(needs_rule(with(two_rooms(), "engine/misc/CMakeLists.txt", "pawl_room(misc)\n")), "is not a room"));
    BOOST_TEST(tells(needs_rule(with(two_rooms(), "engine/run/CMakeLists.txt", "add_library(run)\n")), "no pawl_room() call"));
    BOOST_TEST(told(needs_rule(with(two_rooms(), "engine/agent/CMakeLists.txt", "pawl_room(agent NEEDS runtime store schema\n  flow expr base)\n"))) == "");
}

BOOST_AUTO_TEST_CASE(long_files_are_told) {
    BOOST_TEST(told(file_size_rule({{"engine/a/x.cpp", lines(600, "int x;")}})) == "");
    BOOST_TEST(told(file_size_rule({{"engine/a/x.cpp", lines(601, "int x;")}})) == "engine/a/x.cpp:601: has 601 lines; the limit is 600\n");
    BOOST_TEST(told(file_size_rule({{"tests/cases/x.h", lines(900, "x")}, {"README.md", lines(900, "x")}})) == "");
}

BOOST_AUTO_TEST_CASE(long_functions_are_told_whatever_they_look_like) {
    const auto body = lines(70, "    g();");
    const auto length = [&](const std::string& head) { return told(function_size_rule({{"engine/a/x.cpp", head + "\n" + body + "}\n"}})); };
    BOOST_TEST(length("int f() {") == "engine/a/x.cpp:1: `int f()` has 72 lines; the limit is 70\n");
    for (const std::string head : {"namespace a {\nclass x : public y<int> {\npublic:\n    x(int a, int b = {}) noexcept : a_(a), b_{b}, c_{} {", "template <class T>\nauto f(T t) -> std::vector<T> {",
                                   "#define A 1\nBOOST_AUTO_TEST_SUITE(s)\n\nBOOST_AUTO_TEST_CASE(c) {", "const auto f = [](int x) {", "bool x::operator==(const x& o) const {",
                                   "extern \"C\" {\nint f(void) {", "enum class e { a, b };\nstruct s {\n    int i = 0;\n    int f(const o& options = {}) const;\n    void g() override {",
                                   "static std::string f(char c = '{', std::string_view s = \"}\") {"}) {
        BOOST_TEST(tells(function_size_rule({{"engine/a/x.cpp", head + "\n" + body + "}\n"}}), "has 72 lines"), head);
    }
    BOOST_TEST(told(function_size_rule({{"engine/a/x.cpp", "const std::map<int, int> table{\n" + lines(100, "    {1, f(2)},") + "};\nstruct s {\n" + lines(100, "    int f();") + "};\n"}})) == "");
    BOOST_TEST(told(function_size_rule({{"engine/a/x.cpp", "void f() {\n" + lines(60, "if (a) { b(); }") + "}\nvoid g() {\n" + lines(60, "x();") + "}\n"}})) == "");
}

BOOST_AUTO_TEST_CASE(function_spans_are_exact) {
    const auto found = functions_in(without_directives(without_comments("// {\nnamespace n {\n\n/// doc\nint f(int a,\n      int b) {\n    return 1'000 + '{';\n}\n\nauto s = R\"x({{{)x\";\nint g() { return 2; }\n}\n")));
    BOOST_TEST_REQUIRE(found.size() == 2u);
    BOOST_TEST(found[0].first_line == 5u);
    BOOST_TEST(found[0].last_line == 8u);
    BOOST_TEST(found[1].first_line == 11u);
}

BOOST_AUTO_TEST_CASE(an_await_that_stands_alone_is_fine) {
    for (const std::string good : {"co_await f(std::move(x));", "auto r = co_await f(x, y[1]);", "r = co_await f(a.b(c));", "const auto n = co_await stream.read(buffer, asio::as_tuple);",
                                   "std::vector<int> v = co_await f();", "this->x_ = co_await f();", "auto [error, n] = co_await f(asio::as_tuple(asio::use_awaitable));",
                                   "if (a) {\n co_await f();\n}", "// co_await g([] {});\nco_await f(\"?{\");", "for (;;) {\n co_await f();\n}"}) {
        BOOST_TEST(told(awaits(good)) == "", good);
    }
}

BOOST_AUTO_TEST_CASE(an_await_among_other_things_is_told) {
    BOOST_TEST(told(awaits("int x;\nif (co_await f()) {")) ==
               "engine/net/x.cpp:3: `co_await` is inside an expression, a condition or a `co_return`: g++ 12 miscompiles that; write `auto r = co_await f(std::move(x));`\n");
    for (const std::string bad : {"co_return co_await f();", "g(co_await f());", "auto r = 1 + co_await f();", "while (!co_await f()) {}", "if (a) co_await f();", "return_value(x) = g(co_await f());",
                                  "auto x = a ? co_await f() : 0;"}) {
        BOOST_TEST(tells(awaits(bad), "inside an expression"), bad);
    }
    for (const std::string bad : {"co_await f([] { return 1; });", "auto r = co_await f(x, [&](int i) { g(i); });"}) BOOST_TEST(tells(awaits(bad), "lambda literal"), bad);
    for (const std::string bad : {"co_await f(options{1, 2});", "auto r = co_await f({});"}) BOOST_TEST(tells(awaits(bad), "brace list"), bad);
    BOOST_TEST(tells(awaits("auto r = co_await f(a ? b : c);"), "`?:`"));
    BOOST_TEST(tells(awaits("co_await (f() || g());"), "`&&` or `||`"));
    BOOST_TEST(tells(awaits("co_await f(co_await g());"), "co_await"));
}

BOOST_AUTO_TEST_CASE(coroutines_elsewhere_are_told) {
    BOOST_TEST(told(coroutine_place_rule({{"engine/net/x.cpp", "co_return;"}})) == "");
    BOOST_TEST(told(coroutine_place_rule({{"engine/run/x.cpp", "// co_return\n\nco_return 1;"}})) == "engine/run/x.cpp:3: `co_return`: coroutines live in engine/net only\n");
    BOOST_TEST(tells(coroutine_place_rule({{"engine/run/x.cpp", "co_yield 1;"}}), "co_yield"));
}

BOOST_AUTO_TEST_CASE(a_room_without_readme_is_told) {
    BOOST_TEST(tells(readme_rule({{"engine/run/x.cpp", ""}}), "engine/run: has no README.md"));
    BOOST_TEST(!tells(readme_rule({{"engine/run/x.cpp", ""}}), "engine/run::"));
    BOOST_TEST(told(readme_rule({{"engine/run/x.cpp", ""}, {"engine/run/README.md", "x"}, {"engine/cmake/X.cmake", ""}, {"engine/CMakeLists.txt", ""}})) == "");
}

BOOST_AUTO_TEST_CASE(leftovers_are_told) {
    for (const std::string word : {"TODO", "FIXME", "XXX"}) {
        BOOST_TEST(tells(leftover_rule({{"engine/a/x.cpp", "int x;  // " + word + ": later\n"}}), "engine/a/x.cpp:1: says `" + word), word);
    }
    BOOST_TEST(told(leftover_rule({{"engine/a/x.cpp", "mkdtemp(\"/tmp/XXXXXX\"); // todos\n"}})) == "");
}

BOOST_AUTO_TEST_CASE(sleeps_in_tests_are_told) {
    BOOST_TEST(tells(sleep_rule({{"tests/run/x.cpp", "\n    std::this_thread::sleep_for(1s);\n"}}), "tests/run/x.cpp:2: `sleep_for`"));
    BOOST_TEST(tells(sleep_rule({{"tests/run/x.cpp", "::usleep(1);"}}), "usleep"));
    BOOST_TEST(tells(sleep_rule({{"tests/go", "make\nsleep 5\n"}}), "tests/go:2: `sleep`"));
    BOOST_TEST(told(sleep_rule({{"tests/a/x.cpp", "// sleep_for\nauto s = \"sleep 5\";"}, {"engine/a/x.cpp", "sleep_for(1s);"}, {"tests/go", "# do not sleep here\n"}, {"tests/support/wait.hpp", "sleep_for(1ms);"},
                                 {"tests/tool/plugins/slow.cpp", "sleep_for(1s);"}})) == "");
}

BOOST_AUTO_TEST_CASE(strangers_at_the_top_level_are_told) {
    BOOST_TEST(told(top_level_rule({{"src/x.cpp", ""}, {"src/y.cpp", ""}, {"notes.txt", ""}})) ==
               "notes.txt: does not belong at the top level, which is fixed (DESIGN.md section 3)\nsrc: does not belong at the top level, which is fixed (DESIGN.md section 3)\n");
    BOOST_TEST(told(top_level_rule({{"engine/x.cpp", ""}, {"README.md", ""}, {".clang-format", ""}})) == "");
}

BOOST_AUTO_TEST_CASE(tabs_are_told) {
    BOOST_TEST(told(tab_rule({{"engine/a/x.cpp", "int x;\n\tint y;\n"}})) == "engine/a/x.cpp:2: has a tab; indent with spaces\n");
    BOOST_TEST(told(tab_rule({{"tests/cases/a.yaml", "\t"}, {"Makefile", "\t"}})) == "");
}

BOOST_AUTO_TEST_CASE(headers_that_do_not_say_what_they_are_are_told) {
    BOOST_TEST(tells(header_rule({{"engine/a/x.hpp", "#pragma once\n"}}), "does not open with a comment"));
    BOOST_TEST(tells(header_rule({{"engine/a/x.hpp", "// x\n"}}), "no `#pragma once`"));
    BOOST_TEST(tells(header_rule({{"engine/a/x.h", "// x\n#ifndef X_H\n#define X_H\n#endif\n"}}), "no `#pragma once`"));
    BOOST_TEST(told(header_rule({{"sdk/x.h", "/* x */\n#ifndef X_H\n#define X_H\n#endif\n"}, {"engine/a/x.cpp", ""}})) == "");
}

BOOST_AUTO_TEST_SUITE_END()
