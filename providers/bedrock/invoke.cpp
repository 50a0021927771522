#include "providers/bedrock/invoke.hpp"

#include "providers/anthropic/decode.hpp"
#include "providers/anthropic/encode.hpp"
#include "providers/anthropic/version.hpp"
#include "providers/bedrock/errors.hpp"
#include "providers/bedrock/invoke_stream.hpp"
#include "providers/text.hpp"

namespace troupe::providers::bedrock {
namespace {

constexpr std::size_t kInvokeModelIdMax = 2048;
constexpr std::string_view kInvokeVersion = "bedrock-2023-05-31";

class InvokeDialect final : public Dialect {
 public:
  std::string_view name() const override { return "bedrock_invoke"; }

  Result<http::Request> encode(const CompletionRequest& request, const Target& target) const override {
    if (target.model.empty() || target.model.size() > kInvokeModelIdMax)
      return fail(Errc::bad_request, "the model id is empty or above 2048 characters");
    auto version = anthropic::choose_version(target.api_version, kInvokeVersion);
    if (!version) return std::unexpected(version.error());
    auto body = anthropic::write_messages_body(request, {.version = *version,
                                                         .version_first = true,
                                                         .stream_member = false,
                                                         .sampling = !anthropic::refuses_sampling(*version)});
    if (!body) return std::unexpected(body.error());
    http::Request out;
    out.target = target.base_path + "/model/" + percent_encode(target.model) +
                 (request.stream ? "/invoke-with-response-stream" : "/invoke");
    // What the answer should be is asked for under another name where the answer's own type is the framing's.
    const char* accept = request.stream ? "x-amzn-bedrock-accept" : "accept";
    out.headers = {{"host", target.host}, {"content-type", "application/json"}, {accept, "application/json"}};
    out.body = dump_json(*body);
    return out;
  }

  Result<Completion> decode(const http::Response& response) const override {
    auto body = parse_json(response.body);
    if (!body) return fail(Errc::stream_broken, "the answer is not JSON");
    auto answer = anthropic::read_message(*body);
    const auto* tier = http::find_header(response.headers, "x-amzn-bedrock-service-tier");
    if (answer && tier != nullptr) answer->tier = *tier;
    return answer;
  }

  std::unique_ptr<StreamDecoder> stream_decoder() const override {
    return std::make_unique<InvokeStreamDecoder>();
  }

  Error classify(const http::Response& response, WallTime wall) const override {
    return classify_answer(response, wall);
  }
};

}  // namespace

const Dialect& invoke_dialect() {
  static const InvokeDialect instance;
  return instance;
}

}  // namespace troupe::providers::bedrock
