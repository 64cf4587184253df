// A shared library as bytes: finds a data symbol and reads constants from it, so that nothing of the library runs.
// Reads 64-bit little-endian ELF (what this engine runs on). Every offset is checked: hostile bytes give nothing, never a crash. Immutable; any thread.
#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pawl::tool {

class elf_image {
public:
    /// `bytes` must outlive the image. Error: `configuration` problem whose detail completes "FILE ...": "is not a shared library".
    static result<elf_image> open(std::string_view bytes);

    struct symbol {
        std::uint64_t address = 0;
        std::uint64_t size = 0;
    };
    /// A defined symbol of the dynamic table.
    std::optional<symbol> find(std::string_view name) const;

    /// `size` bytes of the library's image as the file has them; nothing when they are not in the file.
    std::optional<std::string_view> at(std::uint64_t address, std::uint64_t size) const;
    /// The address that the pointer at `address` will hold relative to the library's base, once relocated.
    std::optional<std::uint64_t> pointer(std::uint64_t address) const;
    /// Bytes from `address` to the next NUL, at most `max`.
    std::optional<std::string_view> text(std::uint64_t address, std::uint64_t max) const;

private:
    struct section {
        std::uint32_t type = 0;
        std::uint32_t link = 0;
        std::uint64_t offset = 0;
        std::uint64_t size = 0;
    };
    struct segment {
        std::uint64_t offset = 0;
        std::uint64_t address = 0;
        std::uint64_t size = 0;  ///< in the file
    };

    explicit elf_image(std::string_view bytes) : bytes_(bytes) {}
    template <class T>
    std::optional<T> read(std::uint64_t offset) const;
    std::optional<std::string_view> slice(std::uint64_t offset, std::uint64_t size) const;
    bool read_headers();

    std::string_view bytes_;
    std::vector<section> sections_;
    std::vector<segment> segments_;
};

}  // namespace pawl::tool
