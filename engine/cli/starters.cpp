#include "cli/starters.hpp"

#include <array>

namespace pawl::cli {
namespace {

constexpr std::string_view ignored = "/build/\n/.pawl/\n";

constexpr std::string_view plugin_cmake = R"(cmake_minimum_required(VERSION 3.22)
project(@NAME@ LANGUAGES CXX)
find_package(PawlSDK REQUIRED)
pawl_add_plugin(@NAME@ @IDENTIFIER@.cpp)
)";

constexpr std::string_view plugin_source = R"(// The tool @NAME@.count: how often each word stands in a text.
#include <pawl/plugin.hpp>

#include <map>
#include <sstream>

namespace {

namespace sdk = pawl::sdk;

struct count_input {
    std::string text;                     // required
    sdk::with_default<int, 1> shortest;   // may be left out, and is then 1: words with fewer letters do not count
};
BOOST_DESCRIBE_STRUCT(count_input, (), (text, shortest))

struct count_output {
    std::int64_t words = 0;
    std::map<std::string, std::int64_t> counts;
};
BOOST_DESCRIBE_STRUCT(count_output, (), (words, counts))

count_output count(const count_input& input, sdk::call_context& call) {
    if (*input.shortest < 1) throw sdk::failure(sdk::failure_type::validation, "`shortest` must be at least 1.");
    count_output output;
    std::istringstream words(input.text);
    for (std::string word; words >> word;) {
        call.throw_if_cancelled();
        if (word.size() < static_cast<std::size_t>(*input.shortest)) continue;
        ++output.words;
        ++output.counts[word];
    }
    return output;
}

}  // namespace

// Safety says what may happen after a crash: this tool has no effect, so it is `pure` and may be called again.
PAWL_PLUGIN(sdk::plugin("@NAME@", "1.0.0", "Counts words.")
                .add(sdk::tool<count_input, count_output>("count", "1.0.0", "Counts the words of a text.", sdk::safety::pure, count)))
)";

constexpr std::string_view plugin_manifest = R"(name: @NAME@
version: 1.0.0
tools:
  - plugin: ./build/@NAME@.so
)";

constexpr std::string_view plugin_flow = R"(document: { dsl: '1.0.3', namespace: @NAME@, name: count, version: '1.0.0' }
do:
  - count: { call: @NAME@.count, with: { text: '${ .text }', shortest: 2 } }
)";

constexpr std::string_view plugin_cases = R"(# `pawl test` calls the built plugin here (`tools: real`); flows of other projects give scripted answers instead.
given: { flow: flows/count.yaml }
tools: real
cases:
  - name: words are counted, short ones are not
    input: { text: to be or not to be a word }
    then: { status: completed, output: { words: 7, counts: { to: 2, be: 2, or: 1, not: 1, word: 1 } } }
  - name: a text that is none is refused before the tool sees it
    input: { text: 7 }
    then: { status: faulted, error: { type: validation } }
)";

constexpr std::string_view plugin_readme = R"(# @NAME@

A plugin for Pawl: the tool `@NAME@.count`.

| file | is |
|---|---|
| `@IDENTIFIER@.cpp` | the tool: a struct in, a struct out, a handler |
| `CMakeLists.txt` | builds `build/@NAME@.so` with `find_package(PawlSDK)` |
| `pawl.yaml`, `flows/count.yaml` | a project that lists the plugin, and a flow that calls it |
| `@NAME@.test.yaml` | cases that call the built plugin |

Build it; `PAWL` is the folder in which Pawl was built or installed (with its component `sdk`). You need a C++20 compiler, CMake 3.22 and Boost 1.81:

```sh
cmake -S . -B build -DCMAKE_PREFIX_PATH="$PAWL"
cmake --build build
```

Look at it, call it, test it, run the flow:

```sh
pawl tools show @NAME@.count
pawl tools call @NAME@.count --input '{"text": "to be or not to be"}'
pawl test
pawl run flows/count.yaml --input '{"text": "to be or not to be"}'
```

Another project uses it with `tools: [ { plugin: PATH/@NAME@.so } ]` in its `pawl.yaml`. Types, errors, secrets, long work and what `safety` promises stand in Pawl's `sdk/README.md`.
)";

constexpr std::string_view project_manifest = R"(name: @NAME@
version: 1.0.0
)";

constexpr std::string_view project_flow = R"(document: { dsl: '1.0.3', namespace: @NAME@, name: hello, version: '1.0.0' }
input:
  schema: { document: { type: object, properties: { name: { type: string } } } }
do:
  - greet:
      set: { greeting: '${ "Hello, \(.name // "world")!" }' }
)";

constexpr std::string_view project_cases = R"(given: { flow: flows/hello.yaml }
cases:
  - name: somebody is greeted by name
    input: { name: Ada }
    then: { status: completed, output: { greeting: 'Hello, Ada!' } }
  - name: a name that is none is refused
    input: { name: 7 }
    then: { status: faulted, error: { type: validation } }
)";

constexpr std::string_view project_readme = R"(# @NAME@

A Pawl project: `pawl.yaml` names what its flows may use, `flows/` holds them, `*.test.yaml` test them.

```sh
pawl check pawl.yaml
pawl test
pawl run flows/hello.yaml --input '{"name": "Ada"}'
```

`pawl deploy` stores all flows under `@NAME@/NAME:VERSION`, and `pawl run @NAME@/hello` runs the deployed one. A tool of your own begins with `pawl new plugin NAME`.
)";

constexpr std::array plugin_files{starter_file{"CMakeLists.txt", plugin_cmake},      starter_file{"@IDENTIFIER@.cpp", plugin_source},     starter_file{"pawl.yaml", plugin_manifest},
                                  starter_file{"flows/count.yaml", plugin_flow},     starter_file{"@NAME@.test.yaml", plugin_cases}, starter_file{"README.md", plugin_readme},
                                  starter_file{".gitignore", ignored}};
constexpr std::array project_files{starter_file{"pawl.yaml", project_manifest}, starter_file{"flows/hello.yaml", project_flow}, starter_file{"hello.test.yaml", project_cases},
                                   starter_file{"README.md", project_readme}, starter_file{".gitignore", ignored}};

}  // namespace

std::span<const starter_file> plugin_starter() { return plugin_files; }
std::span<const starter_file> project_starter() { return project_files; }

}  // namespace pawl::cli
