#include "runtime/tools/arithmetic.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <numbers>
#include <optional>
#include <vector>

namespace troupe::tools {
namespace {

using Numbers = std::vector<Number>;
constexpr std::size_t kArgumentsMax = 64;

std::unexpected<Error> cannot(std::string why) { return fail(Errc::invalid_input, std::move(why)); }

Result<Number> finite(double value) {
  if (std::isnan(value)) return cannot("the result is not a number");
  if (std::isinf(value)) return cannot("the result is too large");
  return Number{.whole = false, .real = value};
}

Result<Number> whole_or_too_large(bool overflow, std::int64_t value) {
  if (overflow) return cannot("a whole number exceeds 64 bits; write one operand with a decimal point");
  return Number{.integer = value};
}

bool both_whole(const Number& a, const Number& b) { return a.whole && b.whole; }

Result<Number> sum(const Number& a, const Number& b) {
  std::int64_t out = 0;
  if (both_whole(a, b)) {
    bool overflow = __builtin_add_overflow(a.integer, b.integer, &out);
    return whole_or_too_large(overflow, out);
  }
  return finite(a.value() + b.value());
}

Result<Number> difference(const Number& a, const Number& b) {
  std::int64_t out = 0;
  if (both_whole(a, b)) {
    bool overflow = __builtin_sub_overflow(a.integer, b.integer, &out);
    return whole_or_too_large(overflow, out);
  }
  return finite(a.value() - b.value());
}

Result<Number> product(const Number& a, const Number& b) {
  std::int64_t out = 0;
  if (both_whole(a, b)) {
    bool overflow = __builtin_mul_overflow(a.integer, b.integer, &out);
    return whole_or_too_large(overflow, out);
  }
  return finite(a.value() * b.value());
}

Result<Number> quotient(const Number& a, const Number& b) {
  if (b.value() == 0) return cannot("it divides by zero");
  // INT64_MIN / -1 does not fit; as reals it does.
  bool exact = both_whole(a, b) && b.integer != -1 && a.integer % b.integer == 0;
  if (exact) return Number{.integer = a.integer / b.integer};
  if (both_whole(a, b) && b.integer == -1) return difference(Number{}, a);
  return finite(a.value() / b.value());
}

Result<Number> remainder(const Number& a, const Number& b) {
  if (b.value() == 0) return cannot("it divides by zero");
  if (both_whole(a, b)) return Number{.integer = b.integer == -1 ? 0 : a.integer % b.integer};
  return finite(std::fmod(a.value(), b.value()));
}

Result<Number> power(const Number& a, const Number& b) {
  if (a.value() == 0 && b.value() < 0) return cannot("it divides by zero");
  if (!both_whole(a, b) || b.integer < 0) return finite(std::pow(a.value(), b.value()));
  // 0, 1 and -1 never overflow, any other base does after 63 steps.
  if (b.integer == 0) return Number{.integer = 1};
  if (a.integer >= -1 && a.integer <= 1)
    return Number{.integer = b.integer % 2 ? a.integer : a.integer * a.integer};
  Number out{.integer = 1};
  for (std::int64_t i = 0; i < b.integer; ++i) {
    auto next = product(out, a);
    if (!next) return next;
    out = *next;
  }
  return out;
}

Result<Number> real_of(double (*function)(double), const Numbers& given) {
  return finite(function(given[0].value()));
}

Result<Number> rounded(double (*function)(double), const Numbers& given) {
  if (given[0].whole) return given[0];
  double value = function(given[0].real);
  // Below 2^63 every double is a whole number that fits.
  if (std::abs(value) < 9.2e18) return Number{.integer = static_cast<std::int64_t>(value)};
  return finite(value);
}

const Number& larger(const Number& a, const Number& b) { return b.value() > a.value() ? b : a; }
const Number& smaller(const Number& a, const Number& b) { return b.value() < a.value() ? b : a; }

Result<Number> folded(const Numbers& given, Result<Number> (*step)(const Number&, const Number&)) {
  Number out = given[0];
  for (std::size_t i = 1; i < given.size(); ++i) {
    auto next = step(out, given[i]);
    if (!next) return next;
    out = *next;
  }
  return out;
}

struct Function {
  std::string_view name;
  std::size_t least, most;
  Result<Number> (*apply)(const Numbers&);
};

const std::array kFunctions = {
    Function{"abs", 1, 1,
             [](const Numbers& n) {
               return n[0].value() < 0 ? difference(Number{}, n[0]) : Result<Number>(n[0]);
             }},
    Function{"avg", 1, kArgumentsMax,
             [](const Numbers& n) {
               auto all = folded(n, sum);
               return all ? quotient(*all, Number{.integer = static_cast<std::int64_t>(n.size())}) : all;
             }},
    Function{"ceil", 1, 1, [](const Numbers& n) { return rounded(std::ceil, n); }},
    Function{"cos", 1, 1, [](const Numbers& n) { return real_of(std::cos, n); }},
    Function{"exp", 1, 1, [](const Numbers& n) { return real_of(std::exp, n); }},
    Function{"floor", 1, 1, [](const Numbers& n) { return rounded(std::floor, n); }},
    Function{"ln", 1, 1, [](const Numbers& n) { return real_of(std::log, n); }},
    Function{"log", 1, 1, [](const Numbers& n) { return real_of(std::log10, n); }},
    Function{"log2", 1, 1, [](const Numbers& n) { return real_of(std::log2, n); }},
    Function{"max", 1, kArgumentsMax,
             [](const Numbers& n) {
               return folded(n,
                             [](const Number& a, const Number& b) -> Result<Number> { return larger(a, b); });
             }},
    Function{"min", 1, kArgumentsMax,
             [](const Numbers& n) {
               return folded(
                   n, [](const Number& a, const Number& b) -> Result<Number> { return smaller(a, b); });
             }},
    Function{"pow", 2, 2, [](const Numbers& n) { return power(n[0], n[1]); }},
    Function{"round", 1, 1, [](const Numbers& n) { return rounded(std::round, n); }},
    Function{"sin", 1, 1, [](const Numbers& n) { return real_of(std::sin, n); }},
    Function{"sqrt", 1, 1, [](const Numbers& n) { return real_of(std::sqrt, n); }},
    Function{"sum", 1, kArgumentsMax, [](const Numbers& n) { return folded(n, sum); }},
    Function{"tan", 1, 1, [](const Numbers& n) { return real_of(std::tan, n); }},
};

/// Recursive descent: one method a level of binding.
class ArithmeticReader {
 public:
  explicit ArithmeticReader(std::string_view text) : text_(text) {}

  Result<Number> read() {
    auto value = additive();
    if (!value) return value;
    space();
    if (at_ < text_.size()) return here("an operator was expected");
    return value;
  }

 private:
  Result<Number> additive() {
    auto left = multiplicative();
    while (left) {
      char sign = take_one_of("+-");
      if (!sign) break;
      auto right = multiplicative();
      if (!right) return right;
      left = sign == '+' ? sum(*left, *right) : difference(*left, *right);
    }
    return left;
  }

  Result<Number> multiplicative() {
    auto left = signed_value();
    while (left) {
      char sign = take_one_of("*/%");
      if (!sign) break;
      auto right = signed_value();
      if (!right) return right;
      left = sign == '*'   ? product(*left, *right)
             : sign == '/' ? quotient(*left, *right)
                           : remainder(*left, *right);
    }
    return left;
  }

  Result<Number> signed_value() {
    bool negative = false;
    while (char sign = take_one_of("+-")) negative ^= sign == '-';
    auto value = powered();
    return value && negative ? difference(Number{}, *value) : value;
  }

  Result<Number> powered() {
    auto base = primary();
    if (!base || !take_one_of("^")) return base;
    if (++depth_ > arithmetic_depth_max) return here("it is nested too deeply");
    auto exponent = signed_value();
    --depth_;
    return exponent ? power(*base, *exponent) : exponent;
  }

  Result<Number> primary() {
    space();
    if (at_ == text_.size()) return here("a number was expected");
    char c = text_[at_];
    if (c == '(') return in_parentheses();
    if ((c >= '0' && c <= '9') || c == '.') return number();
    if (letter(c)) return named();
    return here("a number was expected");
  }

  Result<Number> in_parentheses() {
    ++at_;
    if (++depth_ > arithmetic_depth_max) return here("it is nested too deeply");
    auto value = additive();
    --depth_;
    if (value && !take_one_of(")")) return here("a closing parenthesis was expected");
    return value;
  }

  Result<Number> number() {
    const char* begin = text_.data() + at_;
    const char* end = text_.data() + text_.size();
    std::int64_t whole = 0;
    auto as_whole = std::from_chars(begin, end, whole);
    double real = 0;
    auto as_real = std::from_chars(begin, end, real);
    if (as_real.ec == std::errc::result_out_of_range) return here("the number is out of range");
    if (as_real.ec != std::errc()) return here("a number was expected");
    at_ += static_cast<std::size_t>(as_real.ptr - begin);
    if (as_whole.ptr != as_real.ptr) return finite(real);
    return whole_or_too_large(as_whole.ec != std::errc(), whole);
  }

  Result<Number> named() {
    auto begin = at_;
    while (at_ < text_.size() && (letter(text_[at_]) || (text_[at_] >= '0' && text_[at_] <= '9'))) ++at_;
    auto name = text_.substr(begin, at_ - begin);
    if (name == "pi") return finite(std::numbers::pi);
    if (name == "e") return finite(std::numbers::e);
    auto function = std::ranges::find(kFunctions, name, &Function::name);
    if (function == kFunctions.end()) {
      at_ = begin;
      return here("there is no function or constant of that name");
    }
    auto given = arguments();
    if (!given) return std::unexpected(std::move(given.error()));
    if (given->size() < function->least || given->size() > function->most)
      return here(fmt::format("{} takes {}{} arguments", name,
                              function->least < function->most ? "at least " : "", function->least));
    return function->apply(*given);
  }

  Result<Numbers> arguments() {
    Numbers out;
    if (!take_one_of("(")) return std::unexpected(here("an opening parenthesis was expected").error());
    if (++depth_ > arithmetic_depth_max) return here("it is nested too deeply");
    do {
      auto value = additive();
      if (!value) return std::unexpected(std::move(value.error()));
      out.push_back(*value);
      if (out.size() > kArgumentsMax) return here("there are too many arguments");
    } while (take_one_of(","));
    --depth_;
    if (!take_one_of(")")) return here("a closing parenthesis was expected");
    return out;
  }

  static bool letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
  void space() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n')) ++at_;
  }
  /// The next character but space when it is one of these, else 0.
  char take_one_of(std::string_view wanted) {
    space();
    if (at_ == text_.size() || wanted.find(text_[at_]) == std::string_view::npos) return 0;
    return text_[at_++];
  }
  std::unexpected<Error> here(std::string_view why) const {
    return cannot(fmt::format("at byte {}: {}", at_, why));
  }

  std::string_view text_;
  std::size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace

std::string to_string(const Number& number) {
  return number.whole ? fmt::format("{}", number.integer) : fmt::format("{}", number.real);
}

Result<Number> evaluate(std::string_view text) {
  if (text.size() > arithmetic_bytes_max)
    return cannot(fmt::format("the expression is longer than {} bytes", arithmetic_bytes_max));
  return ArithmeticReader(text).read();
}

}  // namespace troupe::tools
