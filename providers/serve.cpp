#include "providers/serve.hpp"

#include "providers/anthropic/serve.hpp"
#include "providers/bedrock/invoke.hpp"
#include "providers/bedrock/serve.hpp"
#include "providers/openai/azure.hpp"
#include "providers/openai/responses.hpp"
#include "providers/openai/serve.hpp"
#include "providers/sagemaker/serve.hpp"
#include "providers/vertex/anthropic.hpp"
#include "providers/vertex/gemini_serve.hpp"

#include <array>

namespace troupe::providers {

http::Response DialectServer::write_model_error(int) const {
  return write_error(make_error(Errc::transient_server, "the model failed"));
}

const DialectServer* find_dialect_server(std::string_view name) {
  static const auto all = std::to_array<const DialectServer*>({
      &openai::server(),
      &openai::responses_server(),
      &openai::azure_server(),
      &sagemaker::server(),
      &sagemaker::tgi_server(),
      &anthropic::server(),
      &bedrock::server(),
      &vertex::gemini_server(),
      &bedrock::invoke_server(),
      &vertex::anthropic_server(),
  });
  for (const auto* server : all)
    if (server->name() == name) return server;
  return nullptr;
}

}  // namespace troupe::providers
