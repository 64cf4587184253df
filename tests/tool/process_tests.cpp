// `run: shell` and `run: script` with real processes.
#include "support/eventually.hpp"
#include "support/started_call.hpp"
#include "tool/process_effect.hpp"
#include "tool/world.hpp"

#include <boost/test/unit_test.hpp>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <unistd.h>

using namespace pawl;
using namespace pawl::tool_tests;
using started = test_support::started_call;
using test_support::eventually;

namespace {

struct place {
    world w;
    temporary_folder folder;
    std::shared_ptr<runtime::assets> assets = std::make_shared<runtime::assets>();
    std::optional<tool::process_effect> effect;

    explicit place(std::size_t max_output = 100'000, milliseconds grace = 10s) {
        effect.emplace(w.io, tool::process_options{std::filesystem::path(folder.path("x")).parent_path().string(), max_output, grace});
    }
    started run(const std::string& function, json::object arguments, const std::string& key = "key-1") {
        auto call = std::make_shared<runtime::call_request>();
        call->run = "run-1";
        call->key = key;
        call->function = function;
        call->arguments = std::move(arguments);
        call->assets = assets;
        auto promise = std::make_shared<std::promise<runtime::call_outcome>>();
        started out{promise->get_future()};
        effect->start(call, [promise](runtime::call_outcome o) { promise->set_value(std::move(o)); }, {});
        return out;
    }
    started shell(const std::string& command, json::object more = {}, const std::string& key = "key-1") {
        more["command"] = command;
        return run("run.shell", std::move(more), key);
    }
    /// True when the file is there within 20 seconds.
    bool appears(const std::string& name) const {
        return eventually([&] { return std::filesystem::exists(folder.path(name)); });
    }
    /// The number in a file that a command writes as soon as it knows it.
    pid_t pid_in(const std::string& name) const {
        std::string text;
        BOOST_TEST_REQUIRE(eventually([&] { return std::filesystem::exists(folder.path(name)) && (text = read_file(folder.path(name))).ends_with('\n'); }));
        return static_cast<pid_t>(std::stol(text));
    }
};

/// True when the process is gone, or going (a zombie that init has not collected), within 20 seconds.
bool goes(pid_t pid) {
    return eventually([&] {
        if (::kill(pid, 0) != 0) return true;
        std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
        const std::string text{std::istreambuf_iterator<char>(stat), {}};
        const auto name_end = text.rfind(')');
        return name_end == std::string::npos || text.substr(name_end + 2, 1) == "Z";
    });
}

}  // namespace

BOOST_AUTO_TEST_SUITE(processes)

BOOST_AUTO_TEST_CASE(a_command_reads_stdin_arguments_and_environment) {
    place in;
    const auto out = in.shell("read line; echo \"$line $1 $2 $GREETING\"; pwd -P",
                              {{"stdin", "from stdin\n"}, {"arguments", {"Foo", 2}}, {"environment", {{"GREETING", "hello"}}}})
                         .value();
    BOOST_TEST(out == json::value("from stdin Foo 2 hello\n" + std::filesystem::canonical(in.folder.path(".")).string() + "\n"));
}

BOOST_AUTO_TEST_CASE(the_older_map_of_arguments_is_appended_to_the_command) {
    place in;
    BOOST_TEST(in.shell("echo", {{"arguments", {{"--user", "a b"}, {"--all", nullptr}}}}).value() == json::value("--user=a b --all\n"));
}

BOOST_AUTO_TEST_CASE(each_form_of_return_is_what_it_says) {
    place in;
    const std::string command = "echo out; echo err >&2; exit 3";
    BOOST_TEST(in.shell(command, {{"return", "code"}}).value() == json::value(3));
    BOOST_TEST(in.shell(command, {{"return", "all"}}).value() == json::value({{"code", 3}, {"stdout", "out\n"}, {"stderr", "err\n"}}));
    for (const auto* form : {"stdout", "stderr", "none"}) {
        const auto error = in.shell(command, {{"return", form}}).error();
        BOOST_TEST(type_name_of(error.type) == "runtime");
        BOOST_TEST(error.detail == "The shell command exited with code 3; with `return: code` or `return: all` that would be a result.");
        BOOST_TEST(error.extra.at("exitCode") == json::value(3));
        BOOST_TEST(error.extra.at("stderr") == json::value("err\n"));
    }
    BOOST_TEST(in.shell("echo out; echo err >&2", {{"return", "stderr"}}).value() == json::value("err\n"));
    BOOST_TEST(in.shell("echo out", {{"return", "none"}}).value() == json::value());
    BOOST_TEST(in.shell("kill -9 $$", {{"return", "code"}}).value() == json::value(137));
}

BOOST_AUTO_TEST_CASE(a_command_sees_neither_the_engines_environment_nor_its_descriptors) {
    ::setenv("PAWL_TEST_HIDDEN", "1", 1);
    place in;
    const auto out = std::string(in.shell("env; ls /proc/self/fd").value().get_string());
    BOOST_TEST(out.find("PAWL_TEST_HIDDEN") == std::string::npos);
    BOOST_TEST(out.find("PAWL_IDEMPOTENCY_KEY=key-1\n") != std::string::npos);
    BOOST_TEST(out.find("PAWL_RUN=run-1\n") != std::string::npos);
    BOOST_TEST(out.ends_with("\n0\n1\n2\n3\n"), out);  // 3 is the folder that ls reads
}

BOOST_AUTO_TEST_CASE(a_script_in_python_gets_argv_stdin_and_environment) {
    place in;
    const auto* code = "import os, sys, json\nprint(json.dumps([sys.argv[1:], sys.stdin.read(), os.environ['A']]))\n";
    const auto out = in.run("run.script", {{"language", "python"}, {"code", code}, {"arguments", {"x", "--y"}}, {"stdin", json::object{{"n", 1}}}, {"environment", {{"A", "b"}}}}).value();
    BOOST_TEST(out == json::value("[[\"x\", \"--y\"], \"{\\\"n\\\":1}\", \"b\"]\n"));
}

BOOST_AUTO_TEST_CASE(a_script_in_javascript_is_a_module_with_argv_and_stdin) {
    place in;
    const auto* code = "import { readFileSync } from 'node:fs';\nconst [_, __, arg] = process.argv;\nconsole.log(`${arg} ${readFileSync(process.stdin.fd, 'utf8')}`);";
    BOOST_TEST(in.run("run.script", {{"language", "js"}, {"code", code}, {"arguments", {"--hello"}}, {"stdin", "there"}}).value() == json::value("--hello there\n"));
}

BOOST_AUTO_TEST_CASE(the_older_map_of_arguments_makes_constants_of_a_script) {
    place in;
    const json::object arguments{{"name", "it's \"me\" \\ \n"}, {"list", {1, nullptr, true}}};
    const json::value expected("it's \"me\" \\ \n[1,null,true]\n");
    BOOST_TEST(in.run("run.script", {{"language", "js"}, {"code", "process.stdout.write(name + JSON.stringify(list) + '\\n')"}, {"arguments", arguments}}).value() == expected);
    BOOST_TEST(in.run("run.script", {{"language", "python"}, {"code", "import json\nprint(name + json.dumps(list, separators=(',', ':')))"}, {"arguments", arguments}}).value() ==
               expected);
}

BOOST_AUTO_TEST_CASE(a_script_in_a_file_is_the_pinned_text) {
    place in;
    (*in.assets)["scripts/hello.py"] = "print('pinned')";
    BOOST_TEST(in.run("run.script", {{"language", "python"}, {"source", "scripts/hello.py"}}).value() == json::value("pinned\n"));
}

BOOST_AUTO_TEST_CASE(a_missing_interpreter_is_named_with_what_to_install) {
    place in;
    const std::string path = std::getenv("PATH");
    ::setenv("PATH", "/nowhere", 1);
    const auto error = in.run("run.script", {{"language", "js"}, {"code", "1"}}).error();
    ::setenv("PATH", path.c_str(), 1);
    BOOST_TEST(type_name_of(error.type) == "configuration");
    BOOST_TEST(error.detail == "The JavaScript needs the program `node`, and it is not on the PATH of pawl; install Node.js 18 or newer (on Debian: apt install nodejs).");
}

BOOST_AUTO_TEST_CASE(too_much_output_ends_the_command_with_an_error) {
    place in(1000);
    BOOST_TEST(std::string(in.shell("head -c 1000 /dev/zero | tr '\\0' x").value().get_string()) == std::string(1000, 'x'));
    const auto error = in.shell("yes").error();
    BOOST_TEST(error.detail == "The shell command wrote more than 1000 bytes to stdout or stderr and was stopped; let it write large results to a file.");
    BOOST_TEST(in.shell("yes >&2").error().detail == error.detail);
}

BOOST_AUTO_TEST_CASE(large_input_is_read_whole_and_bytes_that_are_not_text_are_replaced) {
    place in;
    BOOST_TEST(in.shell("wc -c", {{"stdin", std::string(3'000'000, 'x')}}).value() == json::value("3000000\n"));
    BOOST_TEST(in.shell("printf 'a\\377b'").value() == json::value("a\xEF\xBF\xBD" "b"));
}

BOOST_AUTO_TEST_CASE(arguments_that_no_process_can_have_are_refused) {
    place in;
    BOOST_TEST(type_name_of(in.shell("echo", {{"arguments", {std::string(200'000, 'x')}}}).error().type) == "validation");
    BOOST_TEST(type_name_of(in.shell("echo", {{"arguments", {std::string("a\0b", 3)}}}).error().type) == "validation");
    BOOST_TEST(type_name_of(in.shell("echo", {{"environment", {{"A=B", "c"}}}}).error().type) == "validation");
    BOOST_TEST(type_name_of(in.shell("echo", {{"environment", {{"A", std::string(200'000, 'x')}}}}).error().type) == "validation");
}

BOOST_AUTO_TEST_CASE(a_cancelled_command_ends_with_all_that_it_started) {
    place in;
    auto call = in.shell("tail -f /dev/null & echo $! > child; echo $$ > leader; wait");
    const auto child = in.pid_in("child"), leader = in.pid_in("leader");
    in.effect->cancel("key-1");
    BOOST_TEST(goes(leader));
    BOOST_TEST(goes(child));
    BOOST_CHECK_THROW(call.get(), std::future_error);  // dropped without an outcome: nobody waits for it
}

BOOST_AUTO_TEST_CASE(a_command_that_ignores_sigterm_is_killed_when_the_grace_is_over) {
    place in(1000, 100ms);
    auto call = in.shell("trap '' TERM; echo $$ > leader; tail -f /dev/null");
    const auto leader = in.pid_in("leader");
    in.effect->cancel("key-1");
    BOOST_TEST(goes(leader));
}

BOOST_AUTO_TEST_CASE(a_repetition_begins_only_when_the_cancelled_process_has_gone) {
    place in;
    auto first = in.shell("trap 'touch asked; while test ! -e go; do :; done; echo first >> order; exit 0' TERM; echo $$ > leader; while :; do :; done");
    in.pid_in("leader");
    in.effect->cancel("key-1");
    BOOST_TEST(in.appears("asked"));
    auto second = in.shell("echo second >> order; cat order");
    auto other = in.shell("test -e order || echo none", {}, "key-2");
    BOOST_TEST(other.value() == json::value("none\n"));
    write_file(in.folder.path("go"), "");
    BOOST_TEST(second.value() == json::value("first\nsecond\n"));
}

BOOST_AUTO_TEST_CASE(a_repetition_that_is_cancelled_before_it_began_never_begins) {
    place in;
    auto first = in.shell("trap 'touch asked; while test ! -e go; do :; done; exit 0' TERM; echo $$ > leader; while :; do :; done");
    const auto leader = in.pid_in("leader");
    in.effect->cancel("key-1");
    BOOST_TEST(in.appears("asked"));
    auto second = in.shell("touch second");
    in.effect->cancel("key-1");
    write_file(in.folder.path("go"), "");
    BOOST_TEST(goes(leader));
    BOOST_TEST(in.shell("test -e second || echo right").value() == json::value("right\n"));
}

BOOST_AUTO_TEST_CASE(what_a_command_leaves_in_its_group_ends_with_it) {
    place in;
    in.shell("tail -f /dev/null > /dev/null 2>&1 & echo $! > child").value();
    BOOST_TEST(goes(in.pid_in("child")));
}

BOOST_AUTO_TEST_CASE(a_command_that_nobody_waits_for_outlives_the_effect) {
    place in;
    const auto out = in.shell("cat > input; echo $$ > leader; while test ! -e stop; do :; done; touch ended", {{"await", false}, {"stdin", "data"}}).value();
    BOOST_TEST(out.is_null());
    const auto leader = in.pid_in("leader");
    in.effect.reset();
    BOOST_TEST(::kill(leader, 0) == 0);
    write_file(in.folder.path("stop"), "");
    BOOST_TEST(in.appears("ended"));
    BOOST_TEST(read_file(in.folder.path("input")) == "data");
    BOOST_TEST(goes(leader));
}

BOOST_AUTO_TEST_CASE(processes_under_way_end_with_the_effect_and_give_no_outcome) {
    place in;
    auto call = in.shell("tail -f /dev/null & echo $$ > leader; wait");
    const auto leader = in.pid_in("leader");
    in.effect.reset();
    BOOST_TEST(goes(leader));
    BOOST_CHECK_THROW(call.get(), std::future_error);  // dropped without an outcome
}

BOOST_AUTO_TEST_SUITE_END()
