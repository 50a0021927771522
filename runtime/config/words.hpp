// Text to values and back: durations, numbers, enumerations, and the nearest known word to a misspelt one.
#pragma once

#include "runtime/config/config.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::config {

/// "250ms", "1.5s", "2m", "1h", "3d", "0": a number and ns, us, ms, s, m, h or d. Nothing for other text,
/// negative numbers, and more than 10 years.
std::optional<Duration> read_duration(std::string_view text);
/// The inverse, in the largest unit that needs no fraction.
std::string duration_text(Duration duration);

/// Whole texts only; finite, decimal point, no sign but '-'.
std::optional<double> read_number(std::string_view text);
std::optional<std::uint64_t> read_count(std::string_view text);
std::string number_text(double number);

/// The candidate few edits away (Levenshtein, at most 2 or a third of the word), as "; did you mean \"x\"?",
/// or empty.
std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates);

/// Every value of an enumeration that a file may name.
template <class E>
struct Words;
template <>
struct Words<FaultKind> {
  static constexpr std::array all = {FaultKind::down,
                                     FaultKind::half_open,
                                     FaultKind::slow_head,
                                     FaultKind::throttle,
                                     FaultKind::errors,
                                     FaultKind::unavailable,
                                     FaultKind::model_error,
                                     FaultKind::slow,
                                     FaultKind::late_first_token,
                                     FaultKind::in_stream_error,
                                     FaultKind::cut,
                                     FaultKind::stall,
                                     FaultKind::malformed,
                                     FaultKind::truncated,
                                     FaultKind::poor_quality};
};
template <>
struct Words<CapacityLaw> {
  static constexpr std::array all = {CapacityLaw::limits,
                                     CapacityLaw::bedrock_on_demand,
                                     CapacityLaw::bedrock_provisioned,
                                     CapacityLaw::vertex_provisioned,
                                     CapacityLaw::vertex_shared,
                                     CapacityLaw::sagemaker_instances};
};
template <>
struct Words<AuthKind> {
  static constexpr std::array all = {AuthKind::none,       AuthKind::bearer,    AuthKind::aws_env,
                                     AuthKind::aws_static, AuthKind::simulated, AuthKind::api_key,
                                     AuthKind::aws,        AuthKind::google,    AuthKind::azure};
};
template <>
struct Words<policy::AfterFirstToken> {
  static constexpr std::array all = {policy::AfterFirstToken::buffer, policy::AfterFirstToken::resume,
                                     policy::AfterFirstToken::restart, policy::AfterFirstToken::error};
};
template <>
struct Words<policy::Pools> {
  static constexpr std::array all = {policy::Pools::by_class, policy::Pools::reserved_first,
                                     policy::Pools::on_demand_first, policy::Pools::reserved_only,
                                     policy::Pools::on_demand_only};
};
template <>
struct Words<policy::CapacityKind> {
  static constexpr std::array all = {policy::CapacityKind::reserved, policy::CapacityKind::on_demand};
};
template <>
struct Words<policy::UnitKind> {
  static constexpr std::array all = {policy::UnitKind::tenant, policy::UnitKind::user,
                                     policy::UnitKind::request};
};
template <>
struct Words<policy::WorkClass> {
  static constexpr std::array all = {policy::WorkClass::interactive, policy::WorkClass::soon,
                                     policy::WorkClass::batch};
};
template <>
struct Words<policy::CatchUp> {
  static constexpr std::array all = {policy::CatchUp::none, policy::CatchUp::last, policy::CatchUp::all};
};

template <>
struct Words<Durability> {
  static constexpr std::array all = {Durability::unsaid, Durability::power, Durability::crash};
};

template <class E>
std::optional<E> read_word(std::string_view text) {
  for (auto value : Words<E>::all) {
    if (text == to_string(value)) return value;
  }
  return std::nullopt;
}
template <class E>
std::vector<std::string> all_words() {
  std::vector<std::string> out;
  for (auto value : Words<E>::all) out.emplace_back(to_string(value));
  return out;
}

}  // namespace troupe::config
