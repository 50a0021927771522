#include "providers/anthropic/version.hpp"

#include <algorithm>

namespace troupe::providers::anthropic {
namespace {

constexpr std::size_t kVersionMax = 64;

bool is_version_character(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-';
}

}  // namespace

bool refuses_sampling(std::string_view version) {
  bool dated = version.size() == kBearerVersion.size() && version.front() >= '0' && version.front() <= '9';
  return dated && version >= kBearerVersion;
}

Result<std::string> choose_version(std::string_view wanted, std::string_view otherwise) {
  auto chosen = wanted.empty() ? otherwise : wanted;
  if (chosen.empty() || chosen.size() > kVersionMax || !std::ranges::all_of(chosen, is_version_character))
    return fail(Errc::bad_config, "the API version is malformed");
  return std::string(chosen);
}

}  // namespace troupe::providers::anthropic
