// One provider protocol: how a request is written, an answer read, and an error understood. Pure.
#pragma once

#include "runtime/http/message.hpp"

#include <troupe/completion.hpp>
#include <troupe/error.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::providers {

/// Which of a provider's kinds of capacity may serve a call. Dialects without such a choice ignore it.
enum class Capacity { any, reserved, on_demand };

/// What the path and body need to know about the target, besides the request itself.
struct Target {
  /// The provider's model id in any form it accepts (base id, inference profile, provisioned ARN,
  /// deployment).
  std::string model;
  /// Prefix of the request-target, e.g. "/v1" for OpenAI-compatible bases. No trailing slash.
  std::string base_path;
  /// Value of the Host header, with port when it is not the scheme's default.
  std::string host;
  /// Vertex: the project in the path, and the location ("us-central1", "global").
  std::string project, location;
  /// Anthropic: the anthropic-version header (or body member); Azure: the api-version query, empty for its v1
  /// surface. Empty: the dialect's default.
  std::string api_version;
  /// Vertex only: X-Vertex-AI-LLM-Request-Type (WIRE 4.4).
  Capacity capacity = Capacity::any;
};

/// Reads one streamed answer, fed in pieces of any size. Bounded: an event may hold at most 16 MiB.
class StreamDecoder {
 public:
  virtual ~StreamDecoder() = default;
  /// Appends the events completed by `bytes`. An error is final: the stream must be abandoned.
  virtual Result<void> feed(std::string_view bytes, std::vector<StreamEvent>& out) = 0;
  /// The body ended. stream_broken unless the dialect's final event was seen.
  virtual Result<void> finish(std::vector<StreamEvent>& out) = 0;
};

/// Stateless and thread-safe.
class Dialect {
 public:
  virtual ~Dialect() = default;
  virtual std::string_view name() const = 0;

  /// The unsigned request: method, target, content headers, Host, body. `unsupported` when the dialect lacks
  /// something the request needs; `bad_request` when the request breaks a rule of the wire.
  virtual Result<http::Request> encode(const CompletionRequest& request, const Target& target) const = 0;

  /// Reads a 200 answer of a non-streaming call.
  virtual Result<Completion> decode(const http::Response& response) const = 0;
  virtual std::unique_ptr<StreamDecoder> stream_decoder() const = 0;

  /// What a non-200 answer means: by error type before message before status (WIRE 6.1). Never fails:
  /// what it does not know lands in a conservative class. `wall` resolves HTTP-date retry hints.
  virtual Error classify(const http::Response& response, WallTime wall) const = 0;

  /// Puts an API key on an encoded request, in the header the provider wants it in. Unless a dialect says
  /// otherwise: Authorization: Bearer.
  virtual void put_api_key(http::Request& request, std::string_view key) const;
};

/// "openai", "openai_responses", "azure_openai", "anthropic", "bedrock" (Converse), "bedrock_invoke"
/// (Anthropic bodies), "sagemaker" (OpenAI-chat containers), "sagemaker_tgi", "vertex_gemini" or
/// "vertex_anthropic"; nullptr for a name we do not speak.
const Dialect* find_dialect(std::string_view name);
std::vector<std::string_view> dialect_names();

}  // namespace troupe::providers
