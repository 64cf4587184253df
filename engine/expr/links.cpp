#include "expr/links.hpp"

#include <algorithm>

namespace pawl::expr {

links::~links() {
    while (free_ != nullptr) delete std::exchange(free_, free_->parent);
}

link* links::take(link* parent) {
    link* l = free_;
    if (l != nullptr) {
        free_ = l->parent;
        l->references = 1;
    } else {
        l = new link;
        l->owner = this;
    }
    budget_.grow(sizeof(link));
    l->parent = parent;
    if (parent != nullptr) ++parent->references;
    return l;
}

void links::give_back(link* l) noexcept {
    budget_.shrink(sizeof(link));
    l->item = value();
    l->body = nullptr;
    l->environment = nullptr;
    l->label = 0;
    l->parent = free_;
    free_ = l;
}

void link_ptr::release(link* last) noexcept {
    // Dead links wait in a list threaded through `environment`, which they no longer need once it is let go.
    link* dead = last;
    link* more = nullptr;
    while (dead != nullptr) {
        link* parent = dead->parent;
        link* environment = dead->environment;
        dead->owner->give_back(dead);
        if (environment != nullptr && --environment->references == 0) {
            // Two chains die at once: let this one wait, with its own environment at the end of the wait list.
            environment->label = reinterpret_cast<std::uintptr_t>(more);
            more = environment;
        }
        if (parent != nullptr && --parent->references == 0) {
            dead = parent;
        } else {
            dead = more;
            if (more != nullptr) more = reinterpret_cast<link*>(static_cast<std::uintptr_t>(more->label));
        }
    }
}

step_ptr step_ptr::root(budget& b, value at) {
    step_ptr made;
    made.step_ = new step;
    made.step_->owner = &b;
    made.step_->at = std::move(at);
    b.grow(sizeof(step));
    return made;
}

step_ptr step_ptr::next(budget& b, const step_ptr& parent, value key, value at) {
    step_ptr made = root(b, std::move(at));
    made.step_->parent = parent.step_;
    ++parent.step_->references;
    made.step_->key = std::move(key);
    return made;
}

void step_ptr::release(step* last) noexcept {
    while (last != nullptr && --last->references == 0) {
        step* parent = last->parent;
        last->owner->shrink(sizeof(step));
        delete last;
        last = parent;
    }
}

std::vector<value> keys_of(const located& at) {
    std::vector<value> keys;
    for (const step* s = at.p.get(); s->parent != nullptr; s = s->parent) keys.push_back(s->key);
    std::reverse(keys.begin(), keys.end());
    return keys;
}

}  // namespace pawl::expr
