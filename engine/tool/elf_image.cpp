#include "tool/elf_image.hpp"

#include <elf.h>

#include <algorithm>
#include <cstring>

namespace pawl::tool {
namespace {

#if defined(__x86_64__)
constexpr unsigned this_machine = EM_X86_64;
#elif defined(__aarch64__)
constexpr unsigned this_machine = EM_AARCH64;
#else
#error "engine/tool/elf_image.cpp: add this processor's ELF machine number"
#endif

}  // namespace

template <class T>
std::optional<T> elf_image::read(std::uint64_t offset) const {
    const auto from = slice(offset, sizeof(T));
    if (!from) return std::nullopt;
    T made;
    std::memcpy(&made, from->data(), sizeof(T));
    return made;
}

std::optional<std::string_view> elf_image::slice(std::uint64_t offset, std::uint64_t size) const {
    if (offset > bytes_.size() || size > bytes_.size() - offset) return std::nullopt;
    return bytes_.substr(offset, size);
}

result<elf_image> elf_image::open(std::string_view bytes) {
    const auto bad = [](std::string_view what) { return make_problem(problem_type::configuration, std::string(what)); };
    elf_image image(bytes);
    const auto header = image.read<Elf64_Ehdr>(0);
    if (bytes.size() < SELFMAG || std::memcmp(bytes.data(), ELFMAG, SELFMAG) != 0) return bad("is not a shared library (no ELF file)");
    if (!header) return bad("is a shared library cut short");
    if (header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_ident[EI_DATA] != ELFDATA2LSB || header->e_machine != this_machine) {
        return bad("is built for another kind of processor");
    }
    if (header->e_type != ET_DYN) return bad("is an ELF file, but not a shared library");
    if (!image.read_headers()) return bad("is a shared library cut short: its headers point outside the file");
    return image;
}

bool elf_image::read_headers() {
    const auto header = *read<Elf64_Ehdr>(0);
    if (header.e_shentsize != sizeof(Elf64_Shdr) || header.e_phentsize != sizeof(Elf64_Phdr)) return false;
    for (unsigned i = 0; i < header.e_shnum; ++i) {
        const auto each = read<Elf64_Shdr>(header.e_shoff + std::uint64_t{i} * sizeof(Elf64_Shdr));
        if (!each) return false;
        if (each->sh_type != SHT_NOBITS && !slice(each->sh_offset, each->sh_size)) return false;
        sections_.push_back({each->sh_type, each->sh_link, each->sh_offset, each->sh_size});
    }
    for (unsigned i = 0; i < header.e_phnum; ++i) {
        const auto each = read<Elf64_Phdr>(header.e_phoff + std::uint64_t{i} * sizeof(Elf64_Phdr));
        if (!each) return false;
        if (each->p_type != PT_LOAD) continue;
        if (!slice(each->p_offset, each->p_filesz)) return false;
        segments_.push_back({each->p_offset, each->p_vaddr, each->p_filesz});
    }
    return true;
}

std::optional<elf_image::symbol> elf_image::find(std::string_view name) const {
    for (const auto& table : sections_) {
        if (table.type != SHT_DYNSYM || table.link >= sections_.size()) continue;
        const auto names = slice(sections_[table.link].offset, sections_[table.link].size);
        if (!names) return std::nullopt;
        for (std::uint64_t at = 0; at + sizeof(Elf64_Sym) <= table.size; at += sizeof(Elf64_Sym)) {
            const auto each = read<Elf64_Sym>(table.offset + at);
            if (!each || each->st_shndx == SHN_UNDEF || each->st_name >= names->size()) continue;
            const auto rest = names->substr(each->st_name);
            if (rest.substr(0, rest.find('\0')) == name) return symbol{each->st_value, each->st_size};
        }
    }
    return std::nullopt;
}

std::optional<std::string_view> elf_image::at(std::uint64_t address, std::uint64_t size) const {
    for (const auto& s : segments_) {
        if (address < s.address || address - s.address > s.size || size > s.size - (address - s.address)) continue;
        return slice(s.offset + (address - s.address), size);
    }
    return std::nullopt;
}

std::optional<std::uint64_t> elf_image::pointer(std::uint64_t address) const {
    for (const auto& table : sections_) {
        if (table.type != SHT_RELA) continue;
        for (std::uint64_t at = 0; at + sizeof(Elf64_Rela) <= table.size; at += sizeof(Elf64_Rela)) {
            const auto each = read<Elf64_Rela>(table.offset + at);
            // Constant data of the library itself needs no symbol: the addend is the address.
            if (each && each->r_offset == address) {
                if (ELF64_R_SYM(each->r_info) != 0) return std::nullopt;
                return static_cast<std::uint64_t>(each->r_addend);
            }
        }
    }
    // No such entry: packed relocations (DT_RELR) keep the addend in place.
    const auto in_place = at(address, sizeof(std::uint64_t));
    if (!in_place) return std::nullopt;
    std::uint64_t made = 0;
    std::memcpy(&made, in_place->data(), sizeof made);
    return made;
}

std::optional<std::string_view> elf_image::text(std::uint64_t address, std::uint64_t max) const {
    for (const auto& s : segments_) {
        if (address < s.address || address - s.address >= s.size) continue;
        const auto rest = slice(s.offset + (address - s.address), std::min(max, s.size - (address - s.address)));
        if (!rest) return std::nullopt;
        const auto end = rest->find('\0');
        if (end == std::string_view::npos) return std::nullopt;
        return rest->substr(0, end);
    }
    return std::nullopt;
}

}  // namespace pawl::tool
