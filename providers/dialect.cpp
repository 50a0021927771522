#include "providers/dialect.hpp"

#include "providers/anthropic/dialect.hpp"
#include "providers/bedrock/dialect.hpp"
#include "providers/bedrock/invoke.hpp"
#include "providers/openai/dialect.hpp"
#include "providers/vertex/anthropic.hpp"
#include "providers/vertex/gemini.hpp"

#include <array>

namespace troupe::providers {
namespace {

std::array<const Dialect*, 6> all_dialects() {
  return {&openai::dialect(),         &anthropic::dialect(),      &bedrock::dialect(),
          &bedrock::invoke_dialect(), &vertex::gemini_dialect(), &vertex::anthropic_dialect()};
}

}  // namespace

void Dialect::put_api_key(http::Request& request, std::string_view key) const {
  http::set_header(request.headers, "authorization", "Bearer " + std::string(key));
}

const Dialect* find_dialect(std::string_view name) {
  for (const auto* dialect : all_dialects())
    if (dialect->name() == name) return dialect;
  return nullptr;
}

std::vector<std::string_view> dialect_names() {
  std::vector<std::string_view> names;
  for (const auto* dialect : all_dialects()) names.push_back(dialect->name());
  return names;
}

}  // namespace troupe::providers
