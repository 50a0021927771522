#include "providers/anthropic/dialect.hpp"

#include "providers/anthropic/decode.hpp"
#include "providers/anthropic/encode.hpp"
#include "providers/anthropic/errors.hpp"
#include "providers/anthropic/stream.hpp"
#include "providers/anthropic/version.hpp"

namespace troupe::providers::anthropic {
namespace {

class MessagesDialect final : public Dialect {
 public:
  std::string_view name() const override { return "anthropic"; }

  Result<http::Request> encode(const CompletionRequest& request, const Target& target) const override {
    if (target.model.empty()) return fail(Errc::bad_request, "the model is not named");
    auto version = choose_version(target.api_version, kClassicVersion);
    if (!version) return std::unexpected(version.error());
    auto body =
        write_messages_body(request, {.model = target.model, .sampling = !refuses_sampling(*version)});
    if (!body) return std::unexpected(body.error());
    http::Request out;
    // Base URLs of other dialects end in /v1, so people write this one so too.
    out.target = target.base_path + (target.base_path.ends_with("/v1") ? "/messages" : "/v1/messages");
    out.headers = {{"host", target.host},
                   {"accept", "application/json"},
                   {"anthropic-version", std::move(*version)},
                   {"content-type", "application/json"}};
    out.body = dump_json(*body);
    return out;
  }

  Result<Completion> decode(const http::Response& response) const override {
    auto body = parse_json(response.body);
    if (!body) return fail(Errc::stream_broken, "the answer is not JSON");
    return read_message(*body);
  }

  std::unique_ptr<StreamDecoder> stream_decoder() const override {
    return std::make_unique<MessagesStreamDecoder>(classify_event);
  }

  Error classify(const http::Response& response, WallTime wall) const override {
    return classify_answer(response, wall);
  }

  void put_api_key(http::Request& request, std::string_view key) const override {
    const auto* version = http::find_header(request.headers, "anthropic-version");
    if (version != nullptr && refuses_sampling(*version)) return Dialect::put_api_key(request, key);
    http::set_header(request.headers, "x-api-key", std::string(key));
  }
};

}  // namespace

const Dialect& dialect() {
  static const MessagesDialect instance;
  return instance;
}

}  // namespace troupe::providers::anthropic
