// The C library's mathematics. What yields a whole number stays an exact integer.
#include "expr/builtins.hpp"
#include "expr/machine.hpp"

#include <cmath>
#include <limits>

namespace pawl::expr {
namespace {

value exact(double d) {
    if (d == std::trunc(d) && std::abs(d) < 9.2e18 && !(d == 0 && std::signbit(d))) return value::integer(static_cast<std::int64_t>(d));
    return value::real(d);
}

value not_a_number(machine& m, const value& v) { return m.fail(described(v) + " number required"); }

template <double (*F)(double)>
value unary(machine& m, value in, value*) {
    return in.is_number() ? value::real(F(in.number())) : not_a_number(m, in);
}

/// Rounding: integers are what they are.
template <double (*F)(double)>
value rounding(machine& m, value in, value*) {
    if (in.is_integer()) return in;
    return in.is_number() ? exact(F(in.number())) : not_a_number(m, in);
}

template <double (*F)(double, double)>
value binary(machine& m, value, value* a) {
    if (!a[0].is_number()) return not_a_number(m, a[0]);
    if (!a[1].is_number()) return not_a_number(m, a[1]);
    return value::real(F(a[0].number(), a[1].number()));
}

value power(machine& m, value, value* a) {
    if (!a[0].is_number()) return not_a_number(m, a[0]);
    if (!a[1].is_number()) return not_a_number(m, a[1]);
    if (a[0].what() == kind::integer && a[1].what() == kind::integer && a[1].int64() >= 0 && a[1].int64() < 64) {
        std::int64_t result = 1;
        bool fits = true;
        for (auto i = a[1].int64(); fits && i > 0; --i) fits = !__builtin_mul_overflow(result, a[0].int64(), &result);
        if (fits) return value::integer(result);
    }
    return value::real(std::pow(a[0].number(), a[1].number()));
}

value fused(machine& m, value, value* a) {
    for (int i = 0; i < 3; ++i) {
        if (!a[i].is_number()) return not_a_number(m, a[i]);
    }
    return value::real(std::fma(a[0].number(), a[1].number(), a[2].number()));
}

value frexp_(machine& m, value in, value*) {
    if (!in.is_number()) return not_a_number(m, in);
    int exponent = 0;
    const double mantissa = std::frexp(in.number(), &exponent);
    return m.array({value::real(mantissa), value::integer(std::isfinite(in.number()) ? exponent : 0)});
}

value modf_(machine& m, value in, value*) {
    if (!in.is_number()) return not_a_number(m, in);
    double whole = 0;
    const double fraction = std::modf(in.number(), &whole);
    return m.array({value::real(fraction), exact(whole)});
}

value lgamma_sign(machine& m, value in, value*) {
    if (!in.is_number()) return not_a_number(m, in);
    int sign = 1;
    const double result = ::lgamma_r(in.number(), &sign);
    return m.array({value::real(result), value::integer(sign)});
}

double log_gamma(double d) {
    int sign = 1;
    return ::lgamma_r(d, &sign);
}
double ldexp2(double a, double b) { return std::ldexp(a, static_cast<int>(std::max(-10'000.0, std::min(b, 10'000.0)))); }
double scalb2(double a, double b) { return std::isfinite(b) ? ldexp2(a, std::trunc(b)) : a * std::exp2(b); }
double jn2(double a, double b) { return ::jn(static_cast<int>(std::max(-100'000.0, std::min(a, 100'000.0))), b); }
double yn2(double a, double b) { return ::yn(static_cast<int>(std::max(-100'000.0, std::min(a, 100'000.0))), b); }
double toward(double a, double b) { return std::nexttoward(a, static_cast<long double>(b)); }
double significand_(double d) { return d == 0 || !std::isfinite(d) ? d : std::scalbn(d, -std::ilogb(d)); }

value infinite(machine&, value, value*) { return value::real(std::numeric_limits<double>::infinity()); }
value nan_(machine&, value, value*) { return value::real(std::numeric_limits<double>::quiet_NaN()); }
value isinfinite(machine& m, value in, value*) { return in.is_number() ? value::boolean(std::isinf(in.number())) : not_a_number(m, in); }
value isnan_(machine& m, value in, value*) { return in.is_number() ? value::boolean(std::isnan(in.number())) : not_a_number(m, in); }
value isfinite_(machine& m, value in, value*) { return in.is_number() ? value::boolean(std::isfinite(in.number())) : not_a_number(m, in); }
value isnormal_(machine& m, value in, value*) { return in.is_number() ? value::boolean(std::isnormal(in.number())) : not_a_number(m, in); }

value abs_(machine& m, value in, value*) {
    if (in.is_number()) return compare_numbers(in, value::integer(0)) < 0 && !std::isnan(in.number()) ? negate(m, in) : in;
    if (in.is_null() || in.is_boolean()) return m.fail(described(in) + " has no absolute value");
    return in;
}

constexpr native_entry table[] = {
    {"acos", 0, unary<::acos>}, {"acosh", 0, unary<::acosh>}, {"asin", 0, unary<::asin>}, {"asinh", 0, unary<::asinh>}, {"atan", 0, unary<::atan>},
    {"atanh", 0, unary<::atanh>}, {"cbrt", 0, unary<::cbrt>}, {"cos", 0, unary<::cos>}, {"cosh", 0, unary<::cosh>}, {"erf", 0, unary<::erf>},
    {"erfc", 0, unary<::erfc>}, {"exp", 0, unary<::exp>}, {"exp10", 0, unary<::exp10>}, {"exp2", 0, unary<::exp2>}, {"expm1", 0, unary<::expm1>},
    {"gamma", 0, unary<log_gamma>}, {"lgamma", 0, unary<log_gamma>}, {"tgamma", 0, unary<::tgamma>}, {"j0", 0, unary<::j0>}, {"j1", 0, unary<::j1>},
    {"y0", 0, unary<::y0>}, {"y1", 0, unary<::y1>}, {"log", 0, unary<::log>}, {"log10", 0, unary<::log10>}, {"log1p", 0, unary<::log1p>},
    {"log2", 0, unary<::log2>}, {"logb", 0, unary<::logb>}, {"significand", 0, unary<significand_>}, {"sin", 0, unary<::sin>}, {"sinh", 0, unary<::sinh>},
    {"sqrt", 0, unary<::sqrt>}, {"tan", 0, unary<::tan>}, {"tanh", 0, unary<::tanh>}, {"fabs", 0, unary<::fabs>}, {"floor", 0, rounding<::floor>},
    {"ceil", 0, rounding<::ceil>}, {"round", 0, rounding<::round>}, {"trunc", 0, rounding<::trunc>}, {"rint", 0, rounding<::rint>},
    {"nearbyint", 0, rounding<::nearbyint>}, {"lgamma_r", 0, lgamma_sign}, {"frexp", 0, frexp_}, {"modf", 0, modf_}, {"abs", 0, abs_},
    {"atan2", 2, binary<::atan2>}, {"copysign", 2, binary<::copysign>}, {"drem", 2, binary<::remainder>}, {"remainder", 2, binary<::remainder>},
    {"fdim", 2, binary<::fdim>}, {"fmax", 2, binary<::fmax>}, {"fmin", 2, binary<::fmin>}, {"fmod", 2, binary<::fmod>}, {"hypot", 2, binary<::hypot>},
    {"ldexp", 2, binary<ldexp2>}, {"scalb", 2, binary<scalb2>}, {"scalbln", 2, binary<ldexp2>}, {"nextafter", 2, binary<::nextafter>},
    {"nexttoward", 2, binary<toward>}, {"jn", 2, binary<jn2>}, {"yn", 2, binary<yn2>}, {"pow", 2, power}, {"fma", 3, fused},
    {"infinite", 0, infinite}, {"nan", 0, nan_}, {"isinfinite", 0, isinfinite}, {"isnan", 0, isnan_}, {"isfinite", 0, isfinite_}, {"isnormal", 0, isnormal_}};

}  // namespace

std::span<const native_entry> math_natives() noexcept { return table; }

}  // namespace pawl::expr
