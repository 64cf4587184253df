// The environment of an evaluation: counted links, newest first; and the paths of located values, counted too.
// Both are freed without recursion, however long the chain.
#pragma once

#include "expr/value.hpp"

#include <memory>
#include <utility>

namespace pawl::expr {

struct node;
class links;

/// A bound variable, a function argument (an expression and its environment) or a label.
struct link {
    std::uint32_t references = 1;
    links* owner = nullptr;
    link* parent = nullptr;
    value item;
    const node* body = nullptr;
    link* environment = nullptr;
    std::uint64_t label = 0;
};

class link_ptr {
public:
    link_ptr() noexcept = default;
    explicit link_ptr(link* owned) noexcept : link_(owned) {}
    link_ptr(const link_ptr&) = delete;
    link_ptr(link_ptr&& other) noexcept : link_(std::exchange(other.link_, nullptr)) {}
    link_ptr& operator=(link_ptr&& other) noexcept {
        link_ptr old(std::move(*this));
        link_ = std::exchange(other.link_, nullptr);
        return *this;
    }
    ~link_ptr() {
        if (link_ != nullptr && --link_->references == 0) release(link_);
    }
    /// Another reference to a link that somebody else holds; may be null.
    static link_ptr share(link* other) noexcept {
        if (other != nullptr) ++other->references;
        return link_ptr(other);
    }
    link* get() const noexcept { return link_; }
    link* operator->() const noexcept { return link_; }

private:
    static void release(link* last) noexcept;
    link* link_ = nullptr;
};

/// Makes links and keeps the freed ones for reuse.
class links {
public:
    explicit links(budget& b) noexcept : budget_(b) {}
    links(const links&) = delete;
    links& operator=(const links&) = delete;
    ~links();

    link_ptr variable(link* parent, value v) {
        link_ptr made(take(parent));
        made->item = std::move(v);
        return made;
    }
    link_ptr argument(link* parent, const node* body, link* environment) {
        link_ptr made(take(parent));
        made->body = body;
        made->environment = environment;
        if (environment != nullptr) ++environment->references;
        return made;
    }
    link_ptr label(link* parent, std::uint64_t id) {
        link_ptr made(take(parent));
        made->label = id;
        return made;
    }

private:
    friend class link_ptr;
    link* take(link* parent);
    void give_back(link* l) noexcept;

    budget& budget_;
    link* free_ = nullptr;
};

/// One step of a path.
struct step {
    std::uint32_t references = 1;
    budget* owner = nullptr;
    step* parent = nullptr;
    value key;
    value at;  ///< the value that this path leads to
};

class step_ptr {
public:
    step_ptr() noexcept = default;
    step_ptr(const step_ptr& other) noexcept : step_(other.step_) {
        if (step_ != nullptr) ++step_->references;
    }
    step_ptr(step_ptr&& other) noexcept : step_(std::exchange(other.step_, nullptr)) {}
    step_ptr& operator=(step_ptr other) noexcept {
        std::swap(step_, other.step_);
        return *this;
    }
    ~step_ptr() { release(step_); }

    static step_ptr root(budget& b, value at);
    static step_ptr next(budget& b, const step_ptr& parent, value key, value at);
    const step* operator->() const noexcept { return step_; }
    const step* get() const noexcept { return step_; }

private:
    static void release(step* last) noexcept;
    step* step_ = nullptr;
};

/// A value and the path that led to it. When a computation replaced the value, it no longer is what the path leads to.
struct located {
    value v;
    step_ptr p;
    bool whole() const noexcept { return v.identical(p->at); }
};

/// The path as a list of keys, from the root.
std::vector<value> keys_of(const located& at);

}  // namespace pawl::expr
