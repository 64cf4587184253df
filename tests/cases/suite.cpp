#include "cases/suite.hpp"

#include "agent/files.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <filesystem>

namespace pawl::cases {

std::vector<std::string> files_ending(const std::string& suffix, const std::string& folder) {
    std::vector<std::string> out;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        if (entry.path().filename().string().ends_with(suffix)) out.push_back(entry.path().string());
    }
    std::sort(out.begin(), out.end());
    return out;
}

std::unique_ptr<opened_file> open_file(const std::string& path) {
    auto out = std::make_unique<opened_file>();
    out->path = path;
    const auto text = agent::read_text_file(path);
    BOOST_REQUIRE_MESSAGE(text.has_value(), path << " cannot be read");
    out->source = *text;
    auto read = trial::read_cases(out->source, path);
    for (const auto& d : read.diagnostics) BOOST_ERROR(render(d, out->source));
    BOOST_REQUIRE(read.file);
    out->file = std::move(*read.file);
    return out;
}

const agent::manifest& project() {
    static const agent::manifest read = [] {
        agent::manifest_options options;
        options.folder = PAWL_CASES;
        options.file = options.folder + "/pawl.yaml";
        const auto text = agent::read_text_file(options.file).value();
        auto result = agent::read_manifest(text, options);
        for (const auto& d : result.diagnostics) BOOST_ERROR(render(d, text));
        BOOST_REQUIRE(result.value);
        return std::move(*result.value);
    }();
    return read;
}

std::string told(const opened_file& of, const trial::verdict& v) {
    std::string out;
    for (const auto& f : v.findings) {
        const auto mark = of.file.document.mark_of(f.pointer);
        out += render({severity::error, "failed-case", of.path, mark, 1, f.pointer, v.of->name + ": " + f.message, f.hint}, of.source) + "\n  " + f.mode + " " + f.point + "\n  expected: " +
               f.expected + "\n  actual:   " + f.actual + "\n";
    }
    return out;
}

}  // namespace pawl::cases
