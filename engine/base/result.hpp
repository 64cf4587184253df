// The return type of functions that can fail as expected: a value or a problem. No exceptions for expected failures.
#pragma once

#include "base/problem.hpp"

#include <boost/system/result.hpp>

#include <stdexcept>

namespace pawl {

/// Thrown only by `.value()` on a failed result, that is, by a caller that did not look.
struct bad_result_access : std::runtime_error {
    using std::runtime_error::runtime_error;
};

[[noreturn]] inline void throw_exception_from_error(const problem& error, const boost::source_location&) {
    throw bad_result_access(error.title + ": " + error.detail);
}

template <class T>
using result = boost::system::result<T, problem>;

}  // namespace pawl
