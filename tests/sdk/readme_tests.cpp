// The tutorial of sdk/README.md, followed to the letter: its files are written, its commands run, its answers compared. Against the build tree's package and an installed one.
#include <boost/test/unit_test.hpp>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>
#include <string>

namespace {

namespace fs = std::filesystem;

std::string read(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    BOOST_TEST_REQUIRE(file.good(), path.string());
    return text.str();
}

/// The fenced blocks that have a name behind their language.
std::map<std::string, std::string> named_blocks(const std::string& markdown) {
    std::map<std::string, std::string> blocks;
    std::istringstream lines(markdown);
    std::string name, text;
    bool inside = false;
    for (std::string line; std::getline(lines, line);) {
        if (!line.starts_with("```")) {
            if (inside) text += line + "\n";
            continue;
        }
        if (inside && !name.empty()) blocks[name] = text;
        inside = !inside;
        const auto space = line.find(' ');
        name = space == std::string::npos ? "" : line.substr(space + 1);
        text.clear();
    }
    return blocks;
}

struct ended {
    int code = -1;
    std::string output;
};

ended shell(const std::string& commands) {
    const std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(("set -e\n{ " + commands + "\n} 2>&1").c_str(), "r"), &::pclose);
    BOOST_TEST_REQUIRE(pipe != nullptr);
    ended made;
    std::array<char, 4096> part;
    for (std::size_t n; (n = ::fread(part.data(), 1, part.size(), pipe.get())) > 0;) made.output.append(part.data(), n);
    return made;
}

class folder {
public:
    folder() {
        auto name = (fs::temp_directory_path() / "pawl-sdk-XXXXXX").string();
        BOOST_TEST_REQUIRE(::mkdtemp(name.data()) != nullptr);
        path = name;
    }
    ~folder() {
        std::error_code ignored;
        fs::remove_all(path, ignored);
    }
    folder(const folder&) = delete;
    folder& operator=(const folder&) = delete;
    fs::path path;
};

/// Runs a block of the README in `where` with PAWL as it says, and this build's compiler.
std::string run(const fs::path& where, const std::string& pawl, const std::string& block, int expected_code) {
    const auto done = shell("cd '" + where.string() + "'\nexport PAWL='" + pawl + "' CXX='" PAWL_CXX "'\nset +e\n( set -e\n" + block + "\n)\necho \"[exit $?]\"");
    const auto mark = "[exit " + std::to_string(expected_code) + "]\n";
    BOOST_TEST_REQUIRE(done.output.ends_with(mark), done.output);
    return done.output.substr(0, done.output.size() - mark.size());
}

void follow(const std::string& pawl) {
    const folder project;
    auto blocks = named_blocks(read(PAWL_SOURCE_DIR "/sdk/README.md"));
    for (const auto* file : {"CMakeLists.txt", "greeter.cpp", "importer.cpp"}) {
        BOOST_TEST_REQUIRE(!blocks[file].empty());
        std::ofstream(project.path / file) << blocks[file];
    }
    std::ofstream(project.path / "CMakeLists.txt", std::ios::app) << "pawl_add_plugin(importer importer.cpp)\n";
    std::ofstream(project.path / "rows.csv") << "a\nb\nc\n";
    run(project.path, pawl, blocks["build"], 0);
    const auto called = run(project.path, pawl, blocks["call"], 0);
    const auto imported = run(project.path, pawl, "\"$PAWL/bin/pawl-tool-host\" call build/importer.so rows '{\"file\":\"rows.csv\"}'", 0);
    BOOST_TEST(imported.find("\"rows\": 3") != std::string::npos, imported);
    BOOST_TEST(!blocks["answer"].empty());
    BOOST_TEST(called.ends_with(blocks["answer"]), called);
    BOOST_TEST(called.find("\"name\": \"greeter.greet\"") != std::string::npos);
    BOOST_TEST(!blocks["refusal"].empty());
    BOOST_TEST(run(project.path, pawl, blocks["refused"], 1) == blocks["refusal"]);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(readme)

BOOST_AUTO_TEST_CASE(the_tutorial_works_to_the_letter_with_the_build_tree) { follow(PAWL_BINARY_DIR); }

BOOST_AUTO_TEST_CASE(the_sdk_installs_by_itself_and_a_plugin_builds_against_it) {
    const folder place;
    const auto blocks = named_blocks(read(PAWL_SOURCE_DIR "/sdk/README.md"));
    run(place.path, "", "cmake --install '" PAWL_BINARY_DIR "' --component sdk --prefix '" + (place.path / "pawl").string() + "'", 0);
    BOOST_TEST(fs::exists(place.path / "pawl/include/pawl/plugin.h"));
    std::ofstream(place.path / "CMakeLists.txt") << blocks.at("CMakeLists.txt") << "enable_language(C)\npawl_add_plugin(plain plain.c)\n";
    std::ofstream(place.path / "greeter.cpp") << "#include <pawl/plugin.h>\n";
    std::ofstream(place.path / "plain.c") << "#include <pawl/plugin.h>\n_Static_assert(sizeof(pawl_plugin) == 64, \"grew: append only, and raise this\");\n";
    run(place.path, (place.path / "pawl").string(), blocks.at("build"), 0);
    BOOST_TEST(fs::exists(place.path / "build/plain.so"));
}

BOOST_AUTO_TEST_CASE(a_new_plugin_builds_against_an_installed_sdk_and_does_what_its_readme_says) {
    const folder place;
    const auto installed = (place.path / "pawl").string();
    run(place.path, "", "cmake --install '" PAWL_BINARY_DIR "' --component sdk --prefix '" + installed + "'\ncmake --install '" PAWL_BINARY_DIR "' --component pawl --prefix '" + installed + "'", 0);
    const std::string path = "export PATH=\"$PAWL/bin:$PATH\"\n";
    run(place.path, installed, path + "pawl new plugin word-tools", 0);
    const auto project = place.path / "word-tools";
    std::map<std::string, std::string> before;
    for (const auto& file : fs::recursive_directory_iterator(project)) {
        if (file.is_regular_file()) before[file.path().string()] = read(file.path());
    }
    BOOST_TEST(before.size() == 7u);
    const auto again = run(place.path, installed, path + "pawl new plugin word-tools", 1);
    BOOST_TEST(again.find("CMakeLists.txt exists already, and nothing was written") != std::string::npos, again);
    for (const auto& [file, text] : before) {
        BOOST_TEST(read(file) == text);
        BOOST_TEST(text.find('@') == std::string::npos, file);
    }
    std::istringstream lines(read(project / "README.md"));
    std::string commands;
    bool inside = false;
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with("```")) inside = line == "```sh";
        else if (inside) commands += line + "\n";
    }
    const auto said = run(project, installed, path + commands, 0);
    for (const auto* words : {"\"name\": \"word-tools.count\"", "\"words\": 6", "2 cases, 0 failed", "completed "}) BOOST_TEST(said.find(words) != std::string::npos, said);
}

BOOST_AUTO_TEST_CASE(a_new_project_does_what_its_readme_says) {
    const folder place;
    const std::string path = "export PATH=\"$PAWL/bin:$PATH\"\n";
    run(place.path, PAWL_BINARY_DIR, path + "pawl new project shop --output here/it && cd here/it && pawl check pawl.yaml && pawl test && pawl run flows/hello.yaml && pawl deploy && pawl run shop/hello", 0);
    for (const auto* wrong : {"''", "Shop", "9lives", "a_b", "../up", "a/b", "ends-"}) {
        const auto said = run(place.path, PAWL_BINARY_DIR, path + "pawl new project -- " + wrong, 1);
        BOOST_TEST(said.find("is no name for it") != std::string::npos, said);
    }
    BOOST_TEST(std::distance(fs::directory_iterator(place.path), fs::directory_iterator()) == 1);
}

BOOST_AUTO_TEST_SUITE_END()
