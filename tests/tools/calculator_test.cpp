// Arithmetic as a tool: what it works out, and what it refuses.
#include "runtime/tools/calculator.hpp"
#include "runtime/tools/arithmetic.hpp"

#include "tests/tools/support/call.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace troupe::tools {
namespace {

std::string worked_out(std::string_view text) {
  auto number = evaluate(text);
  return number ? to_string(*number) : number.error().what;
}

constexpr std::pair<const char*, const char*> kAnswers[] = {
    {"1+2*3", "7"},
    {"(1+2)*3", "9"},
    {"2^3^2", "512"},
    {"-2^2", "-4"},
    {"2^-1", "0.5"},
    {"7%4", "3"},
    {"-7%4", "-3"},
    {"7/2", "3.5"},
    {"8/2", "4"},
    {"1e3", "1000"},
    {".5+.25", "0.75"},
    {"- -3", "3"},
    {"max(1, 2.5, 2)", "2.5"},
    {"min(3)", "3"},
    {"sum(1,2,3)/avg(1,2,3)", "3"},
    {"sqrt(2)^2 - 2 < 1", "at byte 14: an operator was expected"},
    {"round(2.5)+floor(-0.5)+ceil(0.1)", "3"},
    {"abs(-9223372036854775807)", "9223372036854775807"},
    {"9007199254740993 + 0", "9007199254740993"},
    {"log(1000)+ln(e)+log2(8)", "7"},
    {"cos(pi)", "-1"},
    {"pow(2, 62)", "4611686018427387904"},
    {"(-1)^9999999999", "-1"},
    {"0^0", "1"},
    {" 1\t+\n1 ", "2"}};

TEST(Calculator, BindsAsPeopleWrite) {
  for (auto [text, expected] : kAnswers) EXPECT_EQ(worked_out(text), expected) << text;
}

constexpr const char* kNoAnswers[] = {"",
                                      "1+",
                                      "1 2",
                                      "(1",
                                      "1)",
                                      "x",
                                      "sin",
                                      "sin()",
                                      "sin(1,2)",
                                      "max()",
                                      "1/0",
                                      "1%0",
                                      "0^-1",
                                      "1.5/0",
                                      "sqrt(-1)",
                                      "ln(0)",
                                      "10^400",
                                      "2.0^5000",
                                      "9223372036854775807+1",
                                      "2^63",
                                      "-9223372036854775807-2",
                                      "1e999",
                                      "99999999999999999999",
                                      "5;rm",
                                      "1,000",
                                      "nan",
                                      "inf",
                                      "0x10",
                                      "\"1\"",
                                      "__import__('os')",
                                      "1..2",
                                      "system(1)",
                                      "3*(4",
                                      "4!",
                                      "\xff",
                                      "2**3",
                                      "abs(-9223372036854775807-1)"};

TEST(Calculator, RefusesWhatHasNoAnswer) {
  for (std::string text : kNoAnswers) EXPECT_FALSE(evaluate(text)) << text << " = " << worked_out(text);
}

TEST(Calculator, IsBounded) {
  auto nested = [](int depth) {
    return std::string(std::size_t(depth), '(') + "1" + std::string(std::size_t(depth), ')');
  };
  EXPECT_EQ(worked_out(nested(arithmetic_depth_max)), "1");
  EXPECT_FALSE(evaluate(nested(arithmetic_depth_max + 1)));
  std::string towers = "1";
  for (int i = 0; i < 500; ++i) towers += "^1";
  EXPECT_FALSE(evaluate(towers));
  std::string sums = "1";
  while (sums.size() + 2 <= arithmetic_bytes_max) sums += "+1";
  EXPECT_TRUE(evaluate(sums));
  EXPECT_FALSE(evaluate(sums + "+1"));
  EXPECT_EQ(worked_out(std::string(4000, '-') + "1"), "1");
  std::string many = "sum(1";
  for (int i = 1; i < 64; ++i) many += ",1";
  EXPECT_EQ(worked_out(many + ")"), "64");
  EXPECT_FALSE(evaluate(many + ",1)"));
}

TEST(Calculator, NeverCrashesOnNoise) {
  std::mt19937 random(7);
  const std::string alphabet = "0123456789.+-*/%^()e, \tsqrtmaxpi";
  for (int i = 0; i < 20'000; ++i) {
    std::string text;
    for (auto n = random() % 24; n > 0; --n) text += alphabet[random() % alphabet.size()];
    auto number = evaluate(text);
    EXPECT_TRUE(!number || std::isfinite(number->value())) << text;
  }
}

TEST(Calculator, TellsTheModelWhatIsWrong) {
  auto tool = make_calculator();
  EXPECT_EQ(call(*tool, R"({"expression":"6*7"})")->text, "42");
  auto wrong = call(*tool, R"({"expression":"6*"})");
  EXPECT_TRUE(wrong && wrong->is_error);
  EXPECT_EQ(wrong->text, "at byte 2: a number was expected");
  EXPECT_EQ(call(*tool, "{}").error().code, Errc::invalid_input);
}

}  // namespace
}  // namespace troupe::tools
