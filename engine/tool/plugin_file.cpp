// The bytes of a plugin's file: digest, symbol, ABI; manifest.hpp says what it promises.
#include "base/digest.hpp"
#include "tool/elf_image.hpp"
#include "tool/manifest.hpp"

#include <pawl/plugin.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace pawl::tool {
namespace {

problem bad(const std::string& path, std::string_view what) {
    return make_problem(problem_type::configuration, "The plugin " + path + " cannot be used: " + std::string(what));
}

result<std::string> read_file(const std::string& path) {
    std::error_code error;
    const auto kind = std::filesystem::status(path, error).type();
    if (kind == std::filesystem::file_type::not_found) return bad(path, "there is no such file; has it been built?");
    if (error) return bad(path, error.message() + ".");
    if (kind != std::filesystem::file_type::regular) return bad(path, "it is not a file.");
    const auto size = std::filesystem::file_size(path, error);
    if (error) return bad(path, error.message() + ".");
    if (size > max_plugin_bytes) return bad(path, "it is larger than 256 MiB.");
    std::ifstream file(path, std::ios::binary);
    std::string bytes(size, '\0');
    if (!file || !file.read(bytes.data(), static_cast<std::streamsize>(size))) return bad(path, "it cannot be read; may this user read it?");
    return result<std::string>(boost::system::in_place_value, std::move(bytes));
}

/// The constant of type pawl_plugin, function pointers unresolved.
result<std::string_view> find_manifest(const elf_image& image, const std::string& path) {
    const auto symbol = image.find(PAWL_PLUGIN_SYMBOL);
    if (!symbol) return bad(path, "it exports no symbol " PAWL_PLUGIN_SYMBOL ", so it is not a Pawl plugin (C++ plugins export it with PAWL_PLUGIN).");
    const auto fixed = image.at(symbol->address, offsetof(pawl_plugin, manifest));
    if (!fixed || symbol->size < offsetof(pawl_plugin, manifest)) return bad(path, "its symbol " PAWL_PLUGIN_SYMBOL " is truncated.");
    std::uint64_t magic = 0;
    std::uint32_t size = 0, abi = 0;
    std::memcpy(&magic, fixed->data() + offsetof(pawl_plugin, magic), sizeof magic);
    std::memcpy(&size, fixed->data() + offsetof(pawl_plugin, struct_size), sizeof size);
    std::memcpy(&abi, fixed->data() + offsetof(pawl_plugin, abi_version), sizeof abi);
    if (magic != PAWL_PLUGIN_MAGIC) return bad(path, "its symbol " PAWL_PLUGIN_SYMBOL " does not begin with Pawl's magic number.");
    if (abi != PAWL_ABI_VERSION) {
        return bad(path, "it is built for version " + std::to_string(abi) + " of the plugin ABI, and this Pawl speaks version " +
                             std::to_string(PAWL_ABI_VERSION) + "; build it with this Pawl's SDK.");
    }
    if (size < sizeof(pawl_plugin) || symbol->size < size || !image.at(symbol->address, size)) {
        return bad(path, "its symbol " PAWL_PLUGIN_SYMBOL " is truncated: " + std::to_string(std::min<std::uint64_t>(size, symbol->size)) + " of at least " +
                             std::to_string(sizeof(pawl_plugin)) + " bytes.");
    }
    const auto where = image.pointer(symbol->address + offsetof(pawl_plugin, manifest));
    const auto text = where && *where != 0 ? image.text(*where, max_manifest_bytes) : std::nullopt;
    if (!text) return bad(path, "its manifest is not constant data of the library.");
    return result<std::string_view>(boost::system::in_place_value, *text);
}

bool same_digest(std::string_view expected, std::string_view actual) {
    return std::equal(expected.begin(), expected.end(), actual.begin(), actual.end(), [](char a, char b) { return (a >= 'A' && a <= 'F' ? a - 'A' + 'a' : a) == b; });
}

}  // namespace

result<plugin_file> read_plugin_file(const std::string& path, std::string_view sha256) {
    auto bytes = read_file(path);
    if (!bytes) return bytes.error();
    auto digest = sha256_hex(*bytes);
    if (!sha256.empty() && !same_digest(sha256, digest)) {
        return bad(path, "its SHA-256 is " + digest + ", but " + std::string(sha256.substr(0, 64)) + " is allowed; if the new file is right, change the digest where the plugin is listed.");
    }
    const auto image = elf_image::open(*bytes);
    if (!image) return bad(path, "it " + image.error().detail + ".");
    const auto text = find_manifest(*image, path);
    if (!text) return text.error();
    auto manifest = parse_manifest(*text);
    if (!manifest) return bad(path, manifest.error().detail);
    return plugin_file{std::filesystem::absolute(path).string(), std::move(digest), std::move(*manifest)};
}

}  // namespace pawl::tool
