#include "providers/openai/dialect.hpp"

#include "providers/openai/decode.hpp"
#include "providers/openai/encode.hpp"
#include "providers/openai/errors.hpp"
#include "providers/openai/stream.hpp"

namespace troupe::providers::openai {
namespace {

class ChatDialect final : public Dialect {
 public:
  std::string_view name() const override { return "openai"; }

  Result<http::Request> encode(const CompletionRequest& request, const Target& target) const override {
    auto body = write_chat_request(request, target.model);
    if (!body) return std::unexpected(body.error());
    http::Request out;
    out.target = target.base_path + "/chat/completions";
    out.headers = {{"host", target.host}, {"content-type", "application/json"}};
    out.body = dump_json(*body);
    return out;
  }

  Result<Completion> decode(const http::Response& response) const override {
    auto body = parse_json(response.body);
    if (!body) return fail(Errc::stream_broken, "the answer is not JSON");
    return read_chat_completion(*body);
  }

  std::unique_ptr<StreamDecoder> stream_decoder() const override {
    return std::make_unique<ChatStreamDecoder>();
  }

  Error classify(const http::Response& response, WallTime wall) const override {
    return classify_answer(response, wall);
  }
};

}  // namespace

const Dialect& dialect() {
  static const ChatDialect instance;
  return instance;
}

}  // namespace troupe::providers::openai
