#include "providers/serve.hpp"

#include "providers/anthropic/serve.hpp"
#include "providers/bedrock/invoke.hpp"
#include "providers/bedrock/serve.hpp"
#include "providers/openai/serve.hpp"
#include "providers/vertex/anthropic.hpp"
#include "providers/vertex/gemini_serve.hpp"

namespace troupe::providers {

const DialectServer* find_dialect_server(std::string_view name) {
  for (const auto* server : {&openai::server(), &anthropic::server(), &bedrock::server(),
                             &bedrock::invoke_server(), &vertex::gemini_server(),
                             &vertex::anthropic_server()})
    if (server->name() == name) return server;
  return nullptr;
}

}  // namespace troupe::providers
