#include "providers/dialect.hpp"

#include "providers/anthropic/dialect.hpp"
#include "providers/bedrock/dialect.hpp"
#include "providers/bedrock/invoke.hpp"
#include "providers/openai/azure.hpp"
#include "providers/openai/dialect.hpp"
#include "providers/openai/responses.hpp"
#include "providers/sagemaker/dialect.hpp"
#include "providers/vertex/anthropic.hpp"
#include "providers/vertex/gemini.hpp"

#include <array>

namespace troupe::providers {
namespace {

const auto& all_dialects() {
  static const auto all = std::to_array<const Dialect*>({
      &openai::dialect(),
      &openai::responses_dialect(),
      &openai::azure_dialect(),
      &sagemaker::dialect(),
      &sagemaker::tgi_dialect(),
      &anthropic::dialect(),
      &bedrock::dialect(),
      &vertex::gemini_dialect(),
      &bedrock::invoke_dialect(),
      &vertex::anthropic_dialect(),
  });
  return all;
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
