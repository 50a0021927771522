// Works out arithmetic that is written as people write it. No variables, no side effects.
#pragma once

#include <troupe/error.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace troupe::tools {

/// A whole number, exact, or a floating-point one.
struct Number {
  bool whole = true;
  std::int64_t integer = 0;
  double real = 0;
  double value() const { return whole ? static_cast<double>(integer) : real; }
};
/// Whole numbers as such, others with the fewest digits that mean the same double.
std::string to_string(const Number& number);

constexpr std::size_t arithmetic_bytes_max = 4096;
constexpr int arithmetic_depth_max = 64;

/// Binds, from loosest: + -, then * / %, then signs, then ^ (to the right: 2^3^2 is 512; -2^2 is -4). Numbers
/// as 1, 2.5, .5, 1e-3; parentheses; pi, e; abs ceil cos exp floor ln log (ten) log2 max min pow round sin
/// sqrt sum tan avg, angles in radians. Whole numbers stay whole through + - * % ^ and exact division; % has
/// the dividend's sign. Fails with invalid_input, in words that name the place: what cannot be read, is too
/// long or nested too deeply, divides by zero, exceeds 64 bits as a whole number, or is no finite number.
Result<Number> evaluate(std::string_view text);

}  // namespace troupe::tools
