#include "flow/error_form.hpp"

#include <boost/url/parse.hpp>

#include <algorithm>
#include <string>

namespace pawl::flow {
namespace {

/// Without the braces of a template.
std::string without_braces(std::string_view text) {
    std::string out(text);
    std::erase_if(out, [](char ch) { return ch == '{' || ch == '}'; });
    return out;
}

}  // namespace

bool is_uri_reference(std::string_view text) { return !text.empty() && boost::urls::parse_uri_reference(without_braces(text)).has_value(); }

bool is_absolute_uri(std::string_view text) { return boost::urls::parse_uri(without_braces(text)).has_value(); }

}  // namespace pawl::flow
