// The other side of a dialect: how a server reads its requests and writes its answers, streams and errors.
// Pure.
#pragma once

#include "runtime/http/message.hpp"

#include <troupe/completion.hpp>
#include <troupe/error.hpp>
#include <troupe/request.hpp>
#include <troupe/time.hpp>

#include <memory>
#include <string>
#include <string_view>

namespace troupe::providers {

/// A request as a server understood it.
struct ServedCall {
  /// `feature`, `tenant`, `subject`, `deadline` and `labels` do not travel and keep their defaults.
  CompletionRequest request;
  /// Percent-decoded model id, as the caller named it.
  std::string model;
  /// Does the caller want events? Equal to request.stream.
  bool stream = false;
  /// Did the caller ask for usage inside the stream? Always true for Bedrock; for OpenAI as stream_options
  /// say. When false, withhold UsageReported from the writer: older clients choke on a chunk without choices.
  bool stream_usage = true;
};

/// What an answer says about itself besides its content.
struct AnswerHead {
  /// "chatcmpl-…" or a request id; any visible ASCII.
  std::string id = "troupe-0";
  /// Reported when the Completion names no model. Bedrock reports none.
  std::string model;
  WallTime created;
  /// Reported by Bedrock as metrics.latencyMs.
  Duration latency{};
};

/// Turns the events of one answer into wire bytes. One per stream; not thread-safe. Events must come in the
/// order StreamEvent promises; tool calls may interleave.
class StreamWriter {
 public:
  virtual ~StreamWriter() = default;
  /// May be empty: some events have no bytes of their own, or wait for the next.
  virtual std::string write(const StreamEvent& event) = 0;
  /// What remains after the last event (OpenAI's [DONE]). Call it only when the answer ended well: a stream
  /// that must look broken just stops, or ends with write_error.
  virtual std::string finish() = 0;
  /// An error inside the stream, after the 200 was sent. Final.
  virtual std::string write_error(const Error& error) = 0;
};

/// Stateless and thread-safe.
class DialectServer {
 public:
  virtual ~DialectServer() = default;
  virtual std::string_view name() const = 0;

  /// Does method and path name a model call of this dialect? OpenAI: POST …/chat/completions, whatever the
  /// prefix. Bedrock: POST …/model/{id}/converse or …/converse-stream. Others likewise.
  virtual bool serves(const http::Request& request) const = 0;

  /// Fails with `not_found` for another path and `bad_request` for a body the provider would refuse.
  /// Does not look at credentials.
  virtual Result<ServedCall> read_request(const http::Request& request) const = 0;

  virtual http::Response write_response(const Completion& completion, const AnswerHead& head) const = 0;

  /// Status 200 and the content type of a stream, to be sent before the writer's first bytes.
  virtual http::ResponseHead stream_head(const AnswerHead& head) const = 0;
  virtual std::unique_ptr<StreamWriter> stream_writer(const AnswerHead& head) const = 0;

  /// The dialect's own status, headers and body for `error.code`; every code of the model-call vocabulary is
  /// read back as itself by Dialect::classify, except stream_broken and cancelled, which no answer can say.
  /// With `error.retry_after` the retry hint headers are set (Retry-After in whole seconds, rounded up, and
  /// retry-after-ms for OpenAI and Anthropic, or x-amz-retry-after for Bedrock), otherwise none. The message
  /// is error.vendor_text when it has one, otherwise a text of the dialect's; classes that a dialect tells by
  /// text only (Bedrock's context_length_exceeded and content_filtered) keep that text in front. Our own
  /// runtime's codes become the nearest of these.
  virtual http::Response write_error(const Error& error) const = 0;

  /// The model's own container answered `original_status`: 424 on Bedrock and SageMaker. Elsewhere a 500.
  virtual http::Response write_model_error(int original_status) const;
};

/// By the names of find_dialect; nullptr for a name we do not speak.
const DialectServer* find_dialect_server(std::string_view name);

}  // namespace troupe::providers
