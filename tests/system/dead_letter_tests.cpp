// What cannot proceed, seen and settled through `pawl dead-letters`; and a sink that is down, which keeps no event from the runs that listen.
#include "net/http_server.hpp"
#include "store/location.hpp"
#include "store/session.hpp"
#include "store/soci_database.hpp"
#include "system/process.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/test/unit_test.hpp>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <thread>

using namespace pawl;
using namespace pawl::system_tests;

namespace {

/// A sink that refuses events of the type `bad` for good until it is mended.
class picky_sink {
public:
    picky_sink()
        : work_(boost::asio::make_work_guard(context_)),
          server_(net::http_server::listen(context_, {}, [this](const net::server_request& request, const net::http_server::responder& respond) {
                      const bool bad = request.body.find("\"type\":\"bad\"") != std::string::npos;
                      if (bad && !mended) return respond({422, {}, "", {}});
                      ++(bad ? bad_ones : good_ones);
                      respond({202, {}, "", {}});
                  }).value()),
          thread_([this] { context_.run(); }) {}
    ~picky_sink() {
        server_->stop();
        work_.reset();
        context_.stop();
        thread_.join();
    }
    std::string url() const { return "http://127.0.0.1:" + std::to_string(server_->port()) + "/events?key=hidden"; }

    std::atomic<bool> mended = false;
    std::atomic<int> good_ones = 0, bad_ones = 0;

private:
    boost::asio::io_context context_{1};
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
    std::unique_ptr<net::http_server> server_;
    std::thread thread_;
};

struct stuck_place {
    temporary_folder folder;
    place at;

    explicit stuck_place(const std::string& store, const std::string& manifest = "name: stuck\n") {
        folder.write("pawl.yaml", manifest);
        at = {folder.path(), store_variables(store)};
    }
    json::array letters() const { return at.run({"dead-letters", "--json"}).document().as_array(); }
    std::string url() const {
        const auto known = at.environment.find("PAWL_STORE");
        return known != at.environment.end() ? known->second : "sqlite:" + folder.path() + "/.pawl/default.sqlite";
    }
    std::string status(const std::string& run) const { return std::string(at.run({"runs", "show", run, "--json"}).document().at("status").as_string()); }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(what_cannot_proceed)

BOOST_AUTO_TEST_CASE(a_sink_that_is_down_keeps_no_event_from_runs_that_listen_however_many_wait) {
    for (const auto& store : store_kinds()) {
        BOOST_TEST_CONTEXT(store) {
            const stuck_place p(store, "name: stuck\nevents: { sinks: [ { file: ./folder } ] }\n");
            std::filesystem::create_directory(p.folder.path() + "/folder");  // cannot be written to as a file
            p.folder.write("listener.yaml", "document: { dsl: '1.0.3', namespace: test, name: listener, version: '1.0.0' }\ndo:\n"
                                            "  - hear: { listen: { to: { one: { with: { type: last } } } } }\n");
            p.folder.write("emitter.yaml", "document: { dsl: '1.0.3', namespace: test, name: emitter, version: '1.0.0' }\ndo:\n"
                                           "  - many: { for: { each: n, in: '${ [range(150)] }' }, do: [ { one: { emit: { event: { with: { source: /test, type: many } } } } } ] }\n"
                                           "  - finish: { emit: { event: { with: { source: /test, type: last } } } }\n");
            const auto listening = p.at.run({"run", "listener.yaml", "--detach", "--json"});
            BOOST_TEST_REQUIRE(listening.code == 4, listening);
            const auto listener = std::string(listening.document().at("id").as_string());
            BOOST_TEST(p.at.run({"run", "emitter.yaml"}).code == 0);
            auto server = p.at.start({"serve"});
            wait_for([&] { return p.status(listener) == "completed"; }, "the listener hears the event behind 150 others");
            server.send(SIGTERM);
            BOOST_TEST(server.wait().code == 0);
            BOOST_TEST(p.letters().empty());  // a sink that is down refuses nothing
        }
    }
}

BOOST_AUTO_TEST_CASE(an_event_that_a_sink_refuses_for_good_does_not_hold_up_the_others_and_can_be_delivered_later) {
    for (const auto& store : store_kinds()) {
        BOOST_TEST_CONTEXT(store) {
            picky_sink sink;
            const stuck_place p(store, "name: stuck\nevents: { sinks: [ { url: '" + sink.url() + "' } ] }\n");
            p.folder.write("emitter.yaml", "document: { dsl: '1.0.3', namespace: test, name: emitter, version: '1.0.0' }\ndo:\n"
                                           "  - one: { emit: { event: { with: { source: /test, type: good } } } }\n"
                                           "  - two: { emit: { event: { with: { source: /test, type: bad, data: { a: 1 } } } } }\n"
                                           "  - three: { emit: { event: { with: { source: /test, type: good } } } }\n");
            BOOST_TEST(p.at.run({"run", "emitter.yaml"}).code == 0);
            wait_for([&] { return sink.good_ones == 2; }, "the events before and behind are delivered");
            const auto all = p.letters();
            BOOST_TEST_REQUIRE(all.size() == 1u);
            const auto id = std::string(all[0].at("id").as_string());
            BOOST_TEST(id.starts_with("event:"));
            BOOST_TEST(to_text(all[0]).find("hidden") == std::string::npos);
            const auto shown = p.at.run({"dead-letters", "show", id, "--json"}).document();
            BOOST_TEST(shown.at("event").at("data").at("a").to_number<int>() == 1);
            sink.mended = true;
            BOOST_TEST(p.at.run({"dead-letters", "retry", id}).code == 0);
            BOOST_TEST(p.letters().empty());
            auto server = p.at.start({"serve"});
            wait_for([&] { return sink.bad_ones == 1; }, "the refused event is delivered again");
            server.send(SIGTERM);
            BOOST_TEST(server.wait().code == 0);
            BOOST_TEST(p.at.run({"dead-letters", "discard", id}).code == 1);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_run_without_its_definition_and_a_message_for_nobody_are_listed_and_given_up) {
    for (const auto& store : store_kinds()) {
        BOOST_TEST_CONTEXT(store) {
            const stuck_place p(store);
            p.folder.write("parent.yaml", "document: { dsl: '1.0.3', namespace: test, name: parent, version: '1.0.0' }\ndo:\n  - ask: { call: approval.request, with: { title: Well } }\n");
            const auto left = p.at.run({"run", "parent.yaml", "--detach", "--json"});
            BOOST_TEST_REQUIRE(left.code == 4, left);
            {
                auto opened = store::open_database(p.url()).value()->connect().value();
                store::new_run orphan;
                orphan.id = "orphan";
                orphan.definition = "of-nothing";
                orphan.workflow = "test/none:1.0.0";
                orphan.input = "{}";
                BOOST_TEST(opened->create_run(orphan).has_value());
                BOOST_TEST(opened->post({1, "nobody", "cancel", "test", "1", "{}"}).value());
            }
            auto server = p.at.start({"serve"});
            wait_for([&] { return p.letters().size() == 2u; }, "both are listed");
            BOOST_TEST(p.at.run({"dead-letters", "retry", "run:orphan"}).code == 0);
            wait_for([&] { return p.letters().size() == 2u; }, "the run is stuck again");
            for (const auto& letter : p.letters()) {
                const auto id = std::string(letter.at("id").as_string());
                if (id.starts_with("message:")) BOOST_TEST(p.at.run({"dead-letters", "retry", id}).code == 1);
                const auto discarded = p.at.run({"dead-letters", "discard", id});
                BOOST_TEST(discarded.code == 0, discarded);
            }
            BOOST_TEST(p.letters().empty());
            BOOST_TEST(p.status("orphan") == "faulted");
            server.send(SIGTERM);
            BOOST_TEST(server.wait().code == 0);
        }
    }
}

// Whoever asks for something hears why it does not happen, and terminating needs neither the definition nor the state.
BOOST_AUTO_TEST_CASE(a_run_that_cannot_be_loaded_says_why_it_does_not_obey_and_is_terminated) {
    for (const auto& store : store_kinds()) {
        for (const std::string damage : {"delete from definitions", "update run_states set state = '{broken'"}) {
            BOOST_TEST_CONTEXT(store << ", " << damage) {
                const stuck_place p(store);
                p.folder.write("ask.yaml", "document: { dsl: '1.0.3', namespace: test, name: ask, version: '1.0.0' }\ndo:\n  - ask: { call: approval.request, with: { title: Well } }\n");
                const auto left = p.at.run({"run", "ask.yaml", "--detach", "--json"});
                BOOST_TEST_REQUIRE(left.code == 4, left);
                const auto run = std::string(left.document().at("id").as_string());
                {
                    store::session on(store::parse_location(p.url()).value(), {});
                    BOOST_TEST(on.run([&]() -> store::store_result<void> {
                        on.execute(damage.c_str());
                        return {};
                    }).has_value());
                }
                const auto begun = std::chrono::steady_clock::now();
                const auto cancelled = p.at.run({"runs", "cancel", run});
                BOOST_TEST(cancelled.code == 1, cancelled);
                BOOST_TEST(cancelled.err.find("is not cancelled: The run cannot be loaded: ") != std::string::npos, cancelled);
                BOOST_TEST(cancelled.err.find("pawl runs terminate ") != std::string::npos, cancelled);
                BOOST_TEST((std::chrono::steady_clock::now() - begun < std::chrono::seconds(25)));
                BOOST_TEST(p.status(run) == "waiting");
                const auto doctor = p.at.run({"doctor"});
                if (damage.starts_with("delete")) BOOST_TEST(doctor.out.find("1 live runs have lost their definition") != std::string::npos, doctor);
                const auto terminated = p.at.run({"runs", "terminate", run});
                BOOST_TEST(terminated.code == 0, terminated);
                BOOST_TEST(p.status(run) == "cancelled");
                BOOST_TEST(p.letters().empty());
            }
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
